#ifndef ROWCAST_ARGS_H
#define ROWCAST_ARGS_H

#include <getopt.h>
#include <stdbool.h>

#include "lib/log/log.h"

/* What the program ends with. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1, /* it did not work */
	STATUS_USAGE = 2,  /* it was asked for in a way that makes no sense */
};

#define ARGS_BUSY_MS 5000
#define ARGS_BUSY_MS_MAX 600000

/*
 * A command's arguments.
 *   command  its name
 *   help     what --help prints; NULL: args_next() returns ARGS_HELP
 *   argv     argv[0] is the command, NULL at the end
 *   at       of the first argument that is no option, once all options have
 *            been taken
 *   db       the log; NULL if none was named
 *   status   what to return when args_next() says ARGS_STOP
 */
struct args {
	const char *command;
	const char *help;
	int argc;
	char **argv;
	int at;
	const char *db;
	bool is_json;
	int busy_ms;
	enum status status;
};

/* Options that every command has; to be put into its table. */
#define ARGS_COMMON                                            \
	{ "db", required_argument, NULL, ARGS_DB },            \
	    { "busy-ms", required_argument, NULL, ARGS_BUSY }, \
	    { "json", no_argument, NULL, ARGS_JSON },          \
	    { "help", no_argument, NULL, ARGS_HELP },          \
	{                                                      \
		"version", no_argument, NULL, ARGS_VERSION     \
	}

enum {
	ARGS_END = -1,  /* there are no more options */
	ARGS_STOP = -2, /* it is all said: return status */
	ARGS_DB = 1000,
	ARGS_BUSY,
	ARGS_JSON,
	ARGS_HELP,
	ARGS_VERSION,
	ARGS_OWN, /* the first value for a command's own long options */
};

/*
 * Take the common ones from the environment: ROWCAST_DB, ROWCAST_BUSY_MS.
 *   returns  0; -1 if it cannot be right, which has been reported
 */
int args_environment(struct args *a);

/*
 * Take the next option of the command; the common ones are seen to.
 *   shape    shorts and longs as for getopt_long(); longs with ARGS_COMMON
 *   returns  the option's value, with optarg set; else ARGS_END or ARGS_STOP
 */
int args_next(struct args *a, const char *shorts, const struct option *longs);

/* There are no arguments but options: 0, or -1 if there are, reported. */
int args_none(struct args *a);

/* Report a mistake in the arguments; returns STATUS_USAGE. */
enum status args_refuse(const struct args *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Report that something did not work; returns STATUS_FAILED. */
enum status args_fail(const struct args *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Report what the log said; returns STATUS_FAILED. */
enum status args_fail_log(const struct args *a, const char *why);

/*
 * Open the log that was named, which must be there.
 *   returns  STATUS_OK with *log set; else the reason has been reported
 *   owns     the caller; log_close()
 */
enum status args_open(const struct args *a, bool append, struct log **log);

/* A log must have been named, and be a file that is not empty: STATUS_OK, or
   the reason has been reported. */
enum status args_need_db(const struct args *a);
enum status args_need_file(const struct args *a);

#endif
