#ifndef ROWCAST_LOGS_H
#define ROWCAST_LOGS_H

#include "tap.h"

#include <unistd.h>

#include "lib/log/log.h"

/*
 * Logs in a folder of their own, for unit tests.  Rows that lib/log cannot make
 * (other times, removed rows, other schemas) are made with the sqlite3 shell.
 */
static char folder[32];
static char path[64];

/* Runs SQL with the sqlite3 shell on a file; returns whether it succeeded.
   Newer shells protect the schema. */
static inline bool
shell_on(const char *file, const char *sql)
{
	char command[128];
	FILE *f;

	(void)snprintf(command, sizeof(command),
	    "sqlite3 -bail -cmd '.dbconfig defensive off' '%s' >/dev/null",
	    file);
	f = popen(command, "w");
	if (f == NULL)
		abort();
	(void)fputs(sql, f);
	return pclose(f) == 0;
}

static inline void
sql(const char *text)
{
	if (!shell_on(path, text))
		abort();
}

/* Sets path to a file of the folder that does not exist. */
static inline void
new_path(void)
{
	static int n;

	(void)snprintf(path, sizeof(path), "%s/%d.db", folder, ++n);
}

static inline void
write_file(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		abort();
}

static char why[LOG_WHY_MAX];

static inline struct log *
open_log(bool create, bool append)
{
	const struct log_options o = { .path = path,
		.create = create,
		.append = append,
		.busy_ms = 100 };
	struct log *log;

	return log_open(&o, &log, why) == LOG_OK ? log : NULL;
}

/* Creates a log at a new path and opens it for appending. */
static inline struct log *
new_log(void)
{
	struct log *log;

	new_path();
	log = open_log(true, true);
	if (log == NULL)
		abort();
	return log;
}

/* Does log_open() give this result, and one line that holds this text? */
static inline bool
opens_as(bool create, enum log_result expected, const char *line)
{
	const struct log_options o = { .path = path,
		.create = create,
		.busy_ms = 100 };
	struct log *log;
	enum log_result result;

	why[0] = '\0';
	result = log_open(&o, &log, why);
	if ((log != NULL) != (result == LOG_OK))
		return false;
	log_close(log);
	if (result != expected || strstr(why, line) == NULL ||
	    strchr(why, '\n') != NULL)
		printf("# %d: %s\n", (int)result, why);
	return result == expected && strstr(why, line) != NULL &&
	    strchr(why, '\n') == NULL;
}

static inline struct event
event(const char *topic, const char *data)
{
	return tap_event(0, text_of(topic), TEXT("message"), text_of(data));
}

static inline int64_t
append(struct log *log, const char *topic, const char *data)
{
	struct event e = event(topic, data);
	struct log_receipt r = { 0 };
	size_t culprit;

	return log_append(log, &e, 1, &r, &culprit) == LOG_OK ? r.id : -1;
}

/*
 * Makes the folder, in memory where possible: these tests wait for thousands
 * of commits, and none is about the disk.
 *   returns  false, with the plan printed, if there is no sqlite3 shell
 */
static inline bool
begin(void)
{
	if (system("command -v sqlite3 >/dev/null") != 0) {
		printf("1..0 # skip the sqlite3 shell is not installed\n");
		return false;
	}
	(void)snprintf(folder, sizeof(folder), "%s/test_log.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(folder) == NULL)
		abort();
	return true;
}

static inline int
end(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
	check(system(command) == 0, "the folder is removed");
	return tap_end();
}

#endif
