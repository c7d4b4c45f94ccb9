#ifndef ROWCAST_ARGS_H
#define ROWCAST_ARGS_H

#include "lib/log/log.h"
#include "lib/options.h"

/* Exit statuses of the program. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2, /* wrong usage */
};

struct args;

/*
 * One command of the program.  Each has a file of its own; main.c
 * lists them.
 *   usage, notes  what --help prints before and after the list of options
 *   options       the table of its options; NULL: only the common ones
 *   run           runs it
 */
struct command {
	const char *name;
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

/*
 * The arguments of the program, and then of a command.
 *   command     NULL before it is known
 *   argc, argv  once the options are read, argv[1..argc) are the operands,
 *               and argv[argc] is NULL
 *   common      options that every command has: the next three fields
 *   db          the log; NULL if none was named
 *   status      what to return after args_read() has returned -1
 */
struct args {
	const struct command *command;
	int argc;
	char **argv;
	struct options common;
	const char *db;
	bool is_json;
	int busy_ms;
	enum status status;
};

/* The table of the common options, which are fields of struct args. */
extern const struct option args_common[];

/*
 * Read the options and operands of a->command, and the common ones from the
 * environment: ROWCAST_DB, ROWCAST_BUSY_MS.
 *   shape    config is the struct that the command's table names
 *   returns  0; -1 if there is nothing left to do: an error has been reported,
 *            or --help or --version printed; a->status is set
 *   owns     a and config borrow from argv and the environment
 */
int args_read(struct args *a, void *config, int max_operands);

/* Report a failure, or wrong usage, under the name of the command.  Returns the
   status. */
enum status args_report(const struct args *a, enum status status,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
#define args_fail(a, ...) args_report(a, STATUS_FAILED, __VA_ARGS__)
#define args_refuse(a, ...) args_report(a, STATUS_USAGE, __VA_ARGS__)

/* Report a failure of the log, with its path; returns STATUS_FAILED. */
enum status args_fail_log(const struct args *a, const char *why);

/*
 * Open the log that was named; it must exist.
 *   returns  STATUS_OK with *log set; else the reason has been reported
 *   owns     the caller closes *log with log_close()
 */
enum status args_open(const struct args *a, bool append, struct log **log);

/* Check that a log was named, or that it is also a file that is not empty.
   Return STATUS_OK, or another status after the reason has been reported. */
enum status args_need_db(const struct args *a);
enum status args_need_file(const struct args *a);

#endif
