/*
 * What the commands have in common: how options are read, how mistakes are
 * told, and how the log is opened.
 *
 * No command but init makes a log: a mistyped name would make a new one, and
 * whoever asked would never know.
 */
#include "args.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/warn.h"
#include "value.h"

#define LINE_MAX_BYTES 1024

__attribute__((format(printf, 2, 0))) static void
report(const struct args *a, const char *format, va_list args, const char *end)
{
	char line[LINE_MAX_BYTES];

	if (vsnprintf(line, sizeof(line), format, args) < 0)
		line[0] = '\0';
	warn_line("%s: %s%s%s%s", a->command, line, end[0] != '\0' ? end : "",
	    end[0] != '\0' ? a->command : "", end[0] != '\0' ? " --help'" : "");
}

enum status
args_refuse(const struct args *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(a, format, args, "; see 'rowcast ");
	va_end(args);
	return STATUS_USAGE;
}

enum status
args_fail(const struct args *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(a, format, args, "");
	va_end(args);
	return STATUS_FAILED;
}

enum status
args_fail_log(const struct args *a, const char *why)
{
	return args_fail(a, "%.400s: %s", a->db, why);
}

static int
take_busy(struct args *a, const char *name, const char *value)
{
	int64_t ms;

	if (value_number(value, 0, ARGS_BUSY_MS_MAX, &ms) == 0) {
		a->busy_ms = (int)ms;
		return 0;
	}
	a->status = args_refuse(a, "%s: '%.40s' is no number from 0 to %d",
	    name, value, ARGS_BUSY_MS_MAX);
	return -1;
}

int
args_environment(struct args *a)
{
	const char *db = getenv("ROWCAST_DB");
	const char *busy = getenv("ROWCAST_BUSY_MS");

	a->busy_ms = ARGS_BUSY_MS;
	if (db != NULL && db[0] != '\0')
		a->db = db;
	if (busy == NULL || busy[0] == '\0')
		return 0;
	return take_busy(a, "ROWCAST_BUSY_MS", busy);
}

static enum status
print(const struct args *a, const char *text)
{
	if (printf("%s", text) >= 0 && fflush(stdout) == 0)
		return STATUS_OK;
	return args_fail(a, "standard output: %s", strerror(errno));
}

/* Returns ARGS_STOP if that is all. */
static int
take_common(struct args *a, int id)
{
	switch (id) {
	case ARGS_DB:
		a->db = optarg;
		return 0;
	case ARGS_JSON:
		a->is_json = true;
		return 0;
	case ARGS_BUSY:
		return take_busy(a, "--busy-ms", optarg) == 0 ? 0 : ARGS_STOP;
	case ARGS_VERSION:
		a->status = print(a, "rowcast " ROWCAST_VERSION "\n");
		return ARGS_STOP;
	default:
		a->status = print(a, a->help);
		return ARGS_STOP;
	}
}

/* What getopt_long() did not like.  With a short option, argv[optind - 1] may
   be the word before. */
static void
refuse_option(struct args *a, int id)
{
	const char *word = a->argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };
	bool is_letter =
	    optopt > 0 && optopt < ARGS_DB && strncmp(word, "--", 2) != 0;

	if (id == ':')
		a->status = args_refuse(a, "option %.80s: its value is missing",
		    is_letter ? letter : word);
	else
		a->status = args_refuse(a, "option %.80s: %s",
		    is_letter ? letter : word,
		    optopt >= ARGS_DB ? "it takes no value" : "there is none");
}

int
args_next(struct args *a, const char *shorts, const struct option *longs)
{
	char all[32];
	int id;

	/* ':' tells a missing value from an unknown option, '+' goes before */
	(void)snprintf(all, sizeof(all), "%s:%s", shorts[0] == '+' ? "+" : "",
	    shorts + (shorts[0] == '+' ? 1 : 0));
	opterr = 0; /* what is wrong is told here */
	for (;;) {
		id = getopt_long(a->argc, a->argv, all, longs, NULL);
		if (id == -1) {
			a->at = optind;
			return ARGS_END;
		}
		if (id == '?' || id == ':') {
			refuse_option(a, id);
			return ARGS_STOP;
		}
		if (id < ARGS_DB || id >= ARGS_OWN ||
		    (id == ARGS_HELP && a->help == NULL))
			return id;
		if (take_common(a, id) != 0)
			return ARGS_STOP;
	}
}

int
args_none(struct args *a)
{
	if (a->at == a->argc)
		return 0;
	a->status =
	    args_refuse(a, "argument '%.80s': there are none", a->argv[a->at]);
	return -1;
}

enum status
args_need_db(const struct args *a)
{
	if (a->db != NULL && a->db[0] != '\0')
		return STATUS_OK;
	(void)args_fail(a,
	    "which log?  Give --db FILE, or set ROWCAST_DB to it");
	return STATUS_USAGE;
}

/* What SQLite would say of these does not help. */
enum status
args_need_file(const struct args *a)
{
	enum status status = args_need_db(a);
	struct stat st;

	if (status != STATUS_OK)
		return status;
	if (stat(a->db, &st) != 0)
		return args_fail(a,
		    errno == ENOENT ? "%.400s: %s; 'rowcast init' makes a log" :
				      "%.400s: %s",
		    a->db, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return args_fail_log(a, "is a folder: name a file in it");
	if (S_ISREG(st.st_mode) && st.st_size == 0)
		return args_fail_log(a,
		    "is empty; 'rowcast init' makes it a log");
	return STATUS_OK;
}

enum status
args_open(const struct args *a, bool append, struct log **log)
{
	const struct log_options options = {
		.path = a->db,
		.append = append,
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
