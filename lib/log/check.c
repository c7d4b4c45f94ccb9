/*
 * Checks of a log, for rowcast check.  After one has failed the next ones still
 * run, so that one call reports everything.
 */
#include "admin.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "finding.h"
#include "release.h"
#include "statement.h"
#include "triggers.h"

#define PAGE_MIN_BYTES 4096
#define INTEGRITY_MAX "100" /* lines of SQLite's own */

/* How an SQLite file begins, and then the versions that write and read it.
   source  "Database File Format", 1.3 */
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_VERSIONS 18
#define HEADER_WAL 2

/* ---- files ---- */

/* Returns whether an SQLite file is in WAL mode.  Call this before log_open(),
   which changes the log to it. */
static bool
check_header(const struct check *c)
{
	char header[HEADER_VERSIONS + 2];
	ssize_t got;
	int fd = open(c->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		finding_say(c, LOG_FINDING_WRONG, "file", "%s",
		    strerror(errno));
		return false;
	}
	got = pread(fd, header, sizeof(header), 0);
	(void)close(fd); /* it was only read */
	if (got != (ssize_t)sizeof(header) ||
	    memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0) {
		finding_say(c, LOG_FINDING_WRONG, "file",
		    "is not an SQLite database");
		return false;
	}
	return header[HEADER_VERSIONS] == HEADER_WAL &&
	    header[HEADER_VERSIONS + 1] == HEADER_WAL;
}

/* Only a log is changed to WAL mode: call this once it is open. */
static void
say_journal(const struct check *c, bool is_wal)
{
	if (is_wal)
		finding_say(c, LOG_FINDING_GOOD, "journal", "in WAL mode");
	else
		finding_say(c, LOG_FINDING_WARNING, "journal",
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
		finding_say(c, LOG_FINDING_WARNING, "mode",
		    "%04o: every user may write to it: chmod o-rw", mode);
	else if ((mode & S_IROTH) != 0)
		finding_say(c, LOG_FINDING_WARNING, "mode",
		    "%04o: every user may read it: chmod o-r", mode);
	else
		finding_say(c, LOG_FINDING_GOOD, "mode", "%04o", mode);
}

/* Readers create the -wal and -shm files there, too. */
static void
check_folder(const struct check *c)
{
	const char *slash = strrchr(c->path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - c->path) + 1;
	char *folder = len > 0 ? strndup(c->path, len) : strdup(".");

	if (folder == NULL)
		finding_say(c, LOG_FINDING_WRONG, "folder", "out of memory");
	else if (access(folder, W_OK | X_OK) == 0)
		finding_say(c, LOG_FINDING_GOOD, "folder",
		    "can be written by user %ld", (long)geteuid());
	else
		finding_say(c, LOG_FINDING_WRONG, "folder",
		    "user %ld cannot write to it: %s; readers must, too",
		    (long)geteuid(), strerror(errno));
	free(folder);
}

/* ---- the database ---- */

static void
say_trouble(const struct check *c, const char *about)
{
	finding_say(c, LOG_FINDING_WRONG, about, "%s", log_why(c->log));
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
			finding_say(c, LOG_FINDING_WRONG, "integrity", "%.*s",
			    (int)line.len, line.len > 0 ? line.bytes : "");
	}
	if (statement_end(&s) != LOG_OK)
		say_trouble(c, "integrity");
	else if (is_good)
		finding_say(c, LOG_FINDING_GOOD, "integrity",
		    "%s found no errors", name);
}

struct parts {
	const struct check *check;
	int n;
	int n_wrong;
	char earlier[400]; /* the names of those of an earlier release */
};

static bool
on_part(void *cookie, struct text type, struct text name, struct text sql,
    enum part_state state)
{
	struct parts *p = cookie;
	size_t len = strlen(p->earlier);

	(void)sql;
	p->n++;
	if (state == PART_SAME)
		return true;
	if (state == PART_EARLIER) {
		(void)snprintf(p->earlier + len, sizeof(p->earlier) - len,
		    "%s%.*s", len > 0 ? ", " : "", (int)name.len, name.bytes);
		return true;
	}
	p->n_wrong++;
	finding_say(p->check, LOG_FINDING_WRONG, "schema", "%.*s %.*s %s",
	    (int)type.len, type.bytes, (int)name.len, name.bytes,
	    state == PART_MISSING ?
		"is missing: 'rowcast init --upgrade FILE' adds it" :
		"differs: it is not that of any release");
	return true;
}

static void
check_schema(const struct check *c)
{
	struct parts p = { .check = c };

	if (release_compare(c->log, on_part, &p) != LOG_OK) {
		say_trouble(c, "schema");
		return;
	}
	if (p.earlier[0] != '\0')
		finding_say(c, LOG_FINDING_WARNING, "schema",
		    "of an earlier release: %s: run 'rowcast init --upgrade"
		    " FILE'",
		    p.earlier);
	else if (p.n_wrong == 0)
		finding_say(c, LOG_FINDING_GOOD, "schema",
		    "all %d tables, indexes, views and triggers are those of"
		    " schema.sql",
		    p.n);
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
		finding_say(c, LOG_FINDING_WRONG, "identity",
		    "%lld instead of one, as if schema.sql had been run again:"
		    " DELETE FROM events_log WHERE rowid >"
		    " (SELECT min(rowid) FROM events_log)",
		    (long long)rows);
	else
		finding_say(c, LOG_FINDING_GOOD, "identity", "%s",
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
		finding_say(c, LOG_FINDING_WRONG, "ids",
		    "id %lld was given, but the next one would be %lld: UPDATE"
		    " sqlite_sequence SET seq = %lld WHERE name = 'events'",
		    (long long)last, (long long)head + 1, (long long)last);
	else if (head >= EVENT_ID_MAX)
		finding_say(c, LOG_FINDING_WRONG, "ids", "%s", log_ids_used_up);
	else if (log_ids_left(head) < LOG_IDS_FEW)
		finding_say(c, LOG_FINDING_WARNING, "ids",
		    "the last one is %lld, and only %lld are left: %s",
		    (long long)head, (long long)log_ids_left(head),
		    "'sqlite3 -bail FILE <renumber.sql' gives new ones");
	else
		finding_say(c, LOG_FINDING_GOOD, "ids", "the last one is %lld",
		    (long long)head);
}

static void
check_page(const struct check *c)
{
	int64_t bytes = 0;

	if (log_query(c->log, "PRAGMA page_size", &bytes) != LOG_OK)
		say_trouble(c, "page");
	else
		finding_say(c,
		    bytes < PAGE_MIN_BYTES ? LOG_FINDING_WARNING :
					     LOG_FINDING_GOOD,
		    "page", "%lld bytes%s", (long long)bytes,
		    bytes < PAGE_MIN_BYTES ? ", which is small: 4096 is usual" :
					     "");
}

/* Drivers that know only floating-point numbers store topic 42 as "42.0". */
static void
check_topics(const struct check *c)
{
	struct statement s = statement_prepare(c->log,
	    "SELECT topic FROM events WHERE topic > '' AND topic < ':'"
	    " AND topic GLOB '[0-9]*.0'"
	    " AND topic = CAST(CAST(topic AS INTEGER) AS TEXT) || '.0'"
	    " LIMIT 1");

	if (statement_step(&s)) {
		struct text topic = statement_text(&s, 0);

		finding_say(c, LOG_FINDING_WARNING, "topics",
		    "there is a topic %.*s, as of a number: let the program"
		    " that publishes bind text",
		    (int)topic.len, topic.bytes);
	}
	if (statement_end(&s) != LOG_OK)
		say_trouble(c, "topics");
}

void
log_check(const char *path, const struct log_check_options *o,
    log_finding_fn *finding, void *cookie)
{
	const struct log_options options = { .path = path,
		.busy_ms = o->busy_ms };
	struct check c = {
		.path = path,
		.options = o,
		.finding = finding,
		.cookie = cookie,
	};
	char why[LOG_WHY_MAX];
	bool is_wal;

	/* first: to open a FIFO could wait forever */
	if (log_file_judge(path, why) != 0) {
		finding_say(&c, LOG_FINDING_WRONG, "file", "%s", why);
		return;
	}
	is_wal = check_header(&c);
	check_mode(&c);
	check_folder(&c);
	if (log_open(&options, &c.log, why) != LOG_OK) {
		finding_say(&c, LOG_FINDING_WRONG, "format", "%s", why);
		return;
	}
	finding_say(&c, LOG_FINDING_GOOD, "format",
	    "a log that this version reads");
	say_journal(&c, is_wal);
	check_schema(&c);
	check_identity(&c);
	check_ids(&c);
	check_topics(&c);
	check_page(&c);
	triggers_check(&c);
	check_integrity(&c, o->is_full);
	log_close(c.log);
}
