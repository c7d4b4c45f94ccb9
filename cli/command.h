#ifndef ROWCAST_COMMAND_H
#define ROWCAST_COMMAND_H

#include "args.h"

/*
 * One command of the program.  Each has a file of its own; main.c lists them.
 *   summary       its line in the list of all commands
 *   usage, notes  what --help prints before and after the list of options
 *   options       the table of its options; NULL: only the common ones
 *   run           runs it
 */
struct command {
	const char *name;
	const char *summary;
	const char *usage;
	const char *notes;
	const struct option *options;
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
