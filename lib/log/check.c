/*
 * Checks of a log, for rowcast check.  After one has failed the next ones still
 * run, so that one call reports everything.
 */
#include "admin.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "statement.h"
#include "schema.h"

#define LINE_MAX_BYTES 640
#define PAGE_MIN_BYTES 4096
#define INTEGRITY_MAX "100" /* lines of SQLite's own */

/* How an SQLite file begins, and then the versions that write and read it.
   source  "Database File Format", 1.3 */
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_VERSIONS 18
#define HEADER_WAL 2

struct check {
	const char *path;
	log_finding_fn *finding;
	void *cookie;
	struct log *log;
};

__attribute__((format(printf, 4, 5))) static void
say(const struct check *c, enum log_finding finding, const char *about,
    const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	if (vsnprintf(line, sizeof(line), format, args) < 0)
		line[0] = '\0';
	va_end(args);
	c->finding(c->cookie, finding, about, line);
}

/* ---- files ---- */

/* Call this before log_open(), which changes the log to WAL mode. */
static void
check_header(const struct check *c)
{
	char header[HEADER_VERSIONS + 2];
	ssize_t got;
	int fd = open(c->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		say(c, LOG_FINDING_WRONG, "file", "%s", strerror(errno));
		return;
	}
	got = pread(fd, header, sizeof(header), 0);
	(void)close(fd); /* it was only read */
	if (got != (ssize_t)sizeof(header) ||
	    memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0)
		say(c, LOG_FINDING_WRONG, "file", "is not an SQLite database");
	else if (header[HEADER_VERSIONS] == HEADER_WAL &&
	    header[HEADER_VERSIONS + 1] == HEADER_WAL)
		say(c, LOG_FINDING_GOOD, "journal", "in WAL mode");
	else
		say(c, LOG_FINDING_WARNING, "journal",
		    "was not in WAL mode, so that writers blocked readers;"
		    " this check has changed it");
}

static void
check_mode(const struct check *c)
{
	struct stat st;
	unsigned mode;

	if (stat(c->path, &st) != 0)
		return; /* check_header() has reported it */
	mode = (unsigned)(st.st_mode & 07777);
	if ((mode & S_IWOTH) != 0)
		say(c, LOG_FINDING_WARNING, "mode",
		    "%04o: every user may write to it: chmod o-rw", mode);
	else if ((mode & S_IROTH) != 0)
		say(c, LOG_FINDING_WARNING, "mode",
		    "%04o: every user may read it: chmod o-r", mode);
	else
		say(c, LOG_FINDING_GOOD, "mode", "%04o", mode);
}

/* Readers create the -wal and -shm files there, too. */
static void
check_folder(const struct check *c)
{
	const char *slash = strrchr(c->path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - c->path) + 1;
	char *folder = len > 0 ? strndup(c->path, len) : strdup(".");

	if (folder == NULL)
		say(c, LOG_FINDING_WRONG, "folder", "out of memory");
	else if (access(folder, W_OK | X_OK) == 0)
		say(c, LOG_FINDING_GOOD, "folder", "can be written by user %ld",
		    (long)geteuid());
	else
		say(c, LOG_FINDING_WRONG, "folder",
		    "user %ld cannot write to it: %s; readers must, too",
		    (long)geteuid(), strerror(errno));
	free(folder);
}

/* ---- the database ---- */

static void
say_trouble(const struct check *c, const char *about)
{
	say(c, LOG_FINDING_WRONG, about, "%s", log_why(c->log));
}

static void
check_integrity(const struct check *c, bool is_full)
{
	const char *name = is_full ? "integrity_check" : "quick_check";
	bool is_good = false;
	struct statement s;
	char text[64];

	(void)snprintf(text, sizeof(text), "PRAGMA %s(" INTEGRITY_MAX ")",
	    name);
	s = statement_prepare(c->log, text);
	while (statement_step(&s)) {
		struct text line = statement_text(&s, 0);

		is_good = text_is(line, "ok");
		if (!is_good)
			say(c, LOG_FINDING_WRONG, "integrity", "%.*s",
			    (int)line.len, line.len > 0 ? line.bytes : "");
	}
	if (statement_end(&s) != LOG_OK)
		say_trouble(c, "integrity");
	else if (is_good)
		say(c, LOG_FINDING_GOOD, "integrity", "%s found no errors",
		    name);
}

/* Returns whether the log has this object of the schema, with the same SQL. */
static bool
has_object(const struct check *c, struct text type, struct text name,
    struct text sql)
{
	struct statement its = statement_prepare(c->log,
	    "SELECT sql FROM sqlite_schema WHERE name = ?1");
	bool is_there, is_same = false;

	statement_bind_text(&its, 1, name);
	is_there = statement_step(&its);
	if (is_there)
		is_same = text_equal(statement_text(&its, 0), sql);
	if (statement_end(&its) != LOG_OK)
		say_trouble(c, "schema");
	else if (!is_same)
		say(c, LOG_FINDING_WRONG, "schema",
		    "%.*s %.*s %s: the log was changed, or created by another"
		    " version",
		    (int)type.len, type.bytes, (int)name.len, name.bytes,
		    is_there ? "differs" : "is missing");
	return is_same;
}

/* Compare the log with a fresh one. */
static void
compare_schema(const struct check *c, struct log *fresh)
{
	struct statement mine = statement_prepare(fresh,
	    "SELECT type, name, sql FROM sqlite_schema WHERE sql NOT NULL"
	    " AND name NOT GLOB 'sqlite_*' ORDER BY rowid");
	int n_wrong = 0, n = 0;

	for (; statement_step(&mine); n++)
		if (!has_object(c, statement_text(&mine, 0),
			statement_text(&mine, 1), statement_text(&mine, 2)))
			n_wrong++;
	if (statement_end(&mine) != LOG_OK)
		say(c, LOG_FINDING_WRONG, "schema", "%s", log_why(fresh));
	else if (n_wrong == 0)
		say(c, LOG_FINDING_GOOD, "schema",
		    "all %d tables, indexes and triggers are those of"
		    " schema.sql",
		    n);
}

static void
check_schema(const struct check *c)
{
	struct log *fresh = log_open_memory();

	if (fresh == NULL)
		say(c, LOG_FINDING_WRONG, "schema", "out of memory");
	else if (log_execute(fresh, log_schema) != LOG_OK)
		say(c, LOG_FINDING_WRONG, "schema", "%s", log_why(fresh));
	else
		compare_schema(c, fresh);
	log_close(fresh);
}

/* schema.sql may have been run a second time, without -bail. */
static void
check_identity(const struct check *c)
{
	int64_t rows = 0;

	if (log_query(c->log, "SELECT count(*) FROM events_log", &rows) !=
	    LOG_OK)
		say_trouble(c, "identity");
	else if (rows != 1)
		say(c, LOG_FINDING_WRONG, "identity",
		    "%lld instead of one, as if schema.sql had been run again:"
		    " DELETE FROM events_log WHERE rowid >"
		    " (SELECT min(rowid) FROM events_log)",
		    (long long)rows);
	else
		say(c, LOG_FINDING_GOOD, "identity", "%s",
		    log_identity(c->log));
}

/* If sqlite_sequence was set back, ids would be given a second time. */
static void
check_ids(const struct check *c)
{
	static const char *const sequence =
	    "SELECT seq FROM sqlite_sequence WHERE name = 'events'";
	int64_t head = 0, last = 0, removals = 0, highest = 0;

	if (log_query(c->log, sequence, &head) != LOG_OK ||
	    log_query(c->log, "SELECT max(id) FROM events", &last) != LOG_OK ||
	    log_removals(c->log, &removals, &highest) != LOG_OK)
		say_trouble(c, "ids");
	else if ((last = last > highest ? last : highest) > head)
		say(c, LOG_FINDING_WRONG, "ids",
		    "id %lld was given, but the next one would be %lld: UPDATE"
		    " sqlite_sequence SET seq = %lld WHERE name = 'events'",
		    (long long)last, (long long)head + 1, (long long)last);
	else
		say(c, LOG_FINDING_GOOD, "ids", "the last one is %lld",
		    (long long)head);
}

static void
check_page(const struct check *c)
{
	int64_t bytes = 0;

	if (log_query(c->log, "PRAGMA page_size", &bytes) != LOG_OK)
		say_trouble(c, "page");
	else
		say(c,
		    bytes < PAGE_MIN_BYTES ? LOG_FINDING_WARNING :
					     LOG_FINDING_GOOD,
		    "page", "%lld bytes%s", (long long)bytes,
		    bytes < PAGE_MIN_BYTES ? ", which is small: 4096 is usual" :
					     "");
}

void
log_check(const char *path, bool is_full, int busy_ms, log_finding_fn *finding,
    void *cookie)
{
	struct check c = { .path = path, .finding = finding, .cookie = cookie };
	const struct log_options options = { .path = path, .busy_ms = busy_ms };
	char why[LOG_WHY_MAX];

	/* first: to open a FIFO could wait forever */
	if (log_file_judge(path, why) != 0) {
		say(&c, LOG_FINDING_WRONG, "file", "%s", why);
		return;
	}
	check_header(&c);
	check_mode(&c);
	check_folder(&c);
	if (log_open(&options, &c.log, why) != LOG_OK) {
		say(&c, LOG_FINDING_WRONG, "format", "%s", why);
		return;
	}
	say(&c, LOG_FINDING_GOOD, "format", "a log that this version reads");
	check_schema(&c);
	check_identity(&c);
	check_ids(&c);
	check_page(&c);
	check_integrity(&c, is_full);
	log_close(c.log);
}
