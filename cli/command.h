#ifndef ROWCAST_COMMAND_H
#define ROWCAST_COMMAND_H

#include "args.h"

/*
 * One command of the program.  Each stands in a file of its own name; main.c
 * has the table.
 *   summary  one line for the list of all
 *   help     what its --help prints
 *   run      does it
 */
struct command {
	const char *name;
	const char *summary;
	const char *help;
	enum status (*run)(struct args *a);
};

extern const struct command check_command;
extern const struct command export_command;
extern const struct command import_command;
extern const struct command init_command;
extern const struct command prune_command;
extern const struct command publish_command;
extern const struct command stats_command;
extern const struct command tail_command;

#endif
