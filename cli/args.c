/*
 * Common to all commands: reading options, reporting errors, opening the log.
 *
 * Only init creates a log: any other command would make an empty one out of a
 * mistyped name.
 */
#include "args.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/warn.h"

#define LINE_MAX_BYTES 1024

const struct option args_common[] = {
	{ "db", NULL, "ROWCAST_DB", "FILE", NULL, "the log",
	    OPTION_PLAIN(TEXT, struct args, db) },
	{ "busy-ms", NULL, "ROWCAST_BUSY_MS", "N", "5000",
	    "wait this long for other writers",
	    OPTION_NUMBER(struct args, busy_ms, 0, 600000, 1) },
	{ "json", NULL, NULL, NULL, NULL, "print JSON, for programs",
	    OPTION_PLAIN(FLAG, struct args, is_json) },
	OPTION_END,
};

enum status
args_report(const struct args *a, enum status status, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	if (vsnprintf(line, sizeof(line), format, args) < 0)
		line[0] = '\0';
	va_end(args);
	warn_line("%s%s%s", a->command != NULL ? a->command->name : "",
	    a->command != NULL ? ": " : "", line);
	return status;
}

enum status
args_fail_log(const struct args *a, const char *why)
{
	return args_fail(a, "%.400s: %s", a->db, why);
}

int
args_read(struct args *a, void *config, int max_operands)
{
	static const struct option none[] = { OPTION_END };
	const char *const *vars = (const char *const *)environ;
	char name[32], why[OPTIONS_WHY_MAX];
	struct options options = {
		.command = name,
		.usage = a->command->usage,
		.notes = a->command->notes,
		.table =
		    a->command->options != NULL ? a->command->options : none,
		.config = config,
		.common = &a->common,
		.max_operands = max_operands,
	};
	enum options_result result;

	(void)snprintf(name, sizeof(name), "rowcast %s", a->command->name);
	result = options_arguments(&options, &a->argc, a->argv, why);
	if (result == OPTIONS_OK)
		result = options_environment(&options, vars, why);
	if (result == OPTIONS_OK)
		result = options_environment(&a->common, vars, why);
	if (result == OPTIONS_OK)
		return 0;
	a->status = (enum status)result;
	if (result != OPTIONS_SHOWN)
		(void)args_report(a, a->status, "%s", why);
	return -1;
}

enum status
args_need_db(const struct args *a)
{
	return a->db != NULL ?
	    STATUS_OK :
	    args_refuse(a, "no log is named: give --db FILE or set ROWCAST_DB");
}

/* Report in words what SQLite reports as "unable to open database file". */
enum status
args_need_file(const struct args *a)
{
	enum status status = args_need_db(a);
	char why[LOG_WHY_MAX];
	struct stat st;
	int error;

	if (status != STATUS_OK)
		return status;
	error = stat(a->db, &st) == 0 ? 0 : errno;
	if (error == 0 && st.st_size > 0)
		return STATUS_OK;
	/* 'rowcast init' would not help */
	if (log_file_judge(a->db, why) != 0)
		return args_fail_log(a, why);
	if (error == 0)
		return args_fail_log(a,
		    "is empty; 'rowcast init' makes it a log");
	return args_fail(a,
	    error == ENOENT ? "%.400s: %s; 'rowcast init' creates one" :
			      "%.400s: %s",
	    a->db, strerror(error));
}

enum status
args_open(const struct args *a, bool append, struct log **log)
{
	const struct log_options options = {
		.path = a->db,
		.append = append,
		.bounded = append,
		.busy_ms = a->busy_ms,
	};
	enum status status = args_need_file(a);
	char why[LOG_WHY_MAX];

	*log = NULL;
	if (status != STATUS_OK)
		return status;
	if (log_open(&options, log, why) != LOG_OK)
		return args_fail_log(a, why);
	return STATUS_OK;
}
