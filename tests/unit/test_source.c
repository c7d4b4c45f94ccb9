/*
 * source: steps through a log that others write to, damage and replace.
 */
#include "logs.h"

#include <sqlite3.h>

#include "fcgi/source.h"

static struct filter *all;

static struct source *
new_source(void)
{
	static struct responder_config config;
	char reason[SOURCE_WHY_MAX];
	struct source *src;

	config = (struct responder_config){ .db = path,
		.tail_bytes = 1 << 20,
		.replay_bytes = 1 << 20 };
	src = source_new(&config, reason);
	if (src == NULL)
		abort();
	return src;
}

static enum source_result
step(struct source *src)
{
	const struct news *news;

	return source_step(src, &news);
}

/* ---- a commit within a step ---- */

static bool is_armed;

/* Commit a row when the step that found no more rows asks for the head. */
static int
on_statement(unsigned type, void *cookie, void *statement, void *text)
{
	(void)type;
	(void)cookie;
	(void)statement;
	if (is_armed && strstr(text, "sqlite_sequence") != NULL) {
		is_armed = false;
		sql("INSERT INTO events(data) VALUES('two');");
	}
	return 0;
}

static int
on_open(sqlite3 *db, char **reason, const struct sqlite3_api_routines *api)
{
	(void)reason;
	(void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, on_statement, NULL);
}

static void
check_commit_within(void)
{
	struct source *src;

	log_close(new_log());
	(void)sqlite3_auto_extension((void (*)(void))on_open);
	src = new_source();
	sqlite3_reset_auto_extension();
	sql("INSERT INTO events(data) VALUES('one');");
	is_armed = true;
	check(step(src) == SOURCE_END && !is_armed && source_head(src) == 1,
	    "a row that is committed within a step is not passed over");
	check(step(src) == SOURCE_END && source_head(src) == 2 &&
		source_rows(src) == 2,
	    "the next step reads it");
	source_free(src);
}

/* ---- removed rows ---- */

static bool
is_old(struct source *src, int64_t cursor)
{
	const struct chunk *c;
	bool old = false;

	if (source_chunk(src, all, cursor, 0, &c, &old) != SOURCE_OK)
		abort();
	return old;
}

static void
check_removed(void)
{
	struct source *src;

	log_close(new_log());
	src = new_source();
	sql("INSERT INTO events(data) VALUES('1'), ('2'), ('3'), ('4');"
	    " DELETE FROM events WHERE id = 2;");
	check(step(src) == SOURCE_END && source_head(src) == 4,
	    "rows with a hole are read");
	check(is_old(src, 0) && is_old(src, 1),
	    "before a row that was removed unread, events may be missing");
	check(!is_old(src, 2) && !is_old(src, 3), "after it, none is");
	source_free(src);
}

/* Does a stream from the beginning get these rows? */
static bool
gets(struct source *src, const char *expected)
{
	enum source_result result;
	const struct chunk *c;
	char ids[64] = "";
	int64_t cursor = 0;
	size_t len = 0;
	bool old;

	while ((result = source_chunk(src, all, cursor, 0, &c, &old)) ==
	    SOURCE_OK) {
		for (size_t i = chunk_find(c, cursor); i < c->n; i++)
			len += (size_t)snprintf(ids + len, sizeof(ids) - len,
			    " %lld", (long long)c->entries[i].id);
		cursor = c->upto;
	}
	return result == SOURCE_END && strcmp(ids, expected) == 0;
}

static void
check_forgotten(void)
{
	struct source *src;

	log_close(new_log());
	sql("INSERT INTO events(data) VALUES('1'), ('2'), ('3');");
	src = new_source();
	sql("INSERT INTO events(data) VALUES('4'), ('5');");
	check(step(src) == SOURCE_END && gets(src, " 1 2 3 4 5"),
	    "old rows are read into pages, new ones into the tail");
	sql("DELETE FROM events WHERE id = 2;");
	check(step(src) == SOURCE_END && gets(src, " 1 3 4 5"),
	    "a removed row is forgotten in a page");
	source_free(src);
	log_close(new_log());
	src = new_source();
	sql("INSERT INTO events(data) VALUES('1'), ('2');");
	check(step(src) == SOURCE_END && gets(src, " 1 2"),
	    "rows are read into the tail alone");
	sql("DELETE FROM events WHERE id = 1;");
	check(step(src) == SOURCE_END && gets(src, " 2"),
	    "a removed row is forgotten there, too");
	source_free(src);
}

/* ---- another log ---- */

/* Back up the log at path to a new file, whose name is written to copy. */
static void
back_up(char copy[80])
{
	char text[128];

	(void)snprintf(copy, 80, "%s.copy", path);
	(void)snprintf(text, sizeof(text), ".backup '%s'", copy);
	sql(text);
}

static void
restore(const char *copy)
{
	char text[128];

	(void)snprintf(text, sizeof(text), ".restore '%s'", copy);
	sql(text);
}

/* The log goes back, and beyond its old end, while it cannot be read. */
static void
check_restored_in_trouble(void)
{
	struct source *src;
	char copy[80];

	log_close(new_log());
	sql("INSERT INTO events(data) VALUES('1');");
	back_up(copy);
	sql("INSERT INTO events(data, created_ms) VALUES('2', 1);");
	src = new_source();
	sql("ALTER TABLE events_log RENAME TO gone;");
	check(step(src) == SOURCE_TROUBLE,
	    "a log without its table is trouble");
	restore(copy);
	sql("INSERT INTO events(data) VALUES('another 2'), ('3');");
	check(step(src) == SOURCE_RESET && source_head(src) == 3,
	    "an older copy that has passed its end meanwhile is a reset");
	source_free(src);
}

/* A client that knows an id from elsewhere waits until it is read, but not if
   that may take long. */
static void
check_unread(void)
{
	struct seek seek = { .start = START_AFTER, .value = 1 };
	struct source *src;

	log_close(new_log());
	src = new_source();
	sql("INSERT INTO events(data) VALUES('1');");
	check(source_find(src, all, &seek) == SOURCE_END,
	    "an id that is not read yet is looked for again");
	sql("ALTER TABLE events_log RENAME TO gone;");
	check(step(src) == SOURCE_TROUBLE &&
		source_find(src, all, &seek) == SOURCE_TROUBLE,
	    "but is trouble while the log cannot be read");
	sql("ALTER TABLE gone RENAME TO events_log;");
	check(step(src) == SOURCE_END &&
		source_find(src, all, &seek) == SOURCE_OK && seek.cursor == 1,
	    "and found once it is read");
	source_free(src);
}

/* ---- another schema ---- */

/* A tool rebuilds the table, which is empty for a while, between two steps. */
static void
check_rebuilt(void)
{
	struct seek last = { .start = START_LAST, .value = 2 },
		    after = { .start = START_AFTER, .value = 9 };
	struct gap_known known = { 0 };
	const struct chunk *c;
	struct source *src;
	int64_t next;
	bool old;

	log_close(new_log());
	sql("INSERT INTO events(data) VALUES('1'), ('2'), ('3');");
	src = new_source();
	sql("ALTER TABLE events RENAME TO old;"
	    " CREATE TABLE events AS SELECT * FROM old WHERE 0;");
	check(source_chunk(src, all, 0, 0, &c, &old) == SOURCE_TROUBLE,
	    "no page is read from a table that is being rebuilt");
	log_close(new_log());
	source_free(src);
	sql("INSERT INTO events(data) VALUES('1'), ('2'), ('3');");
	src = new_source();
	sql("ALTER TABLE events RENAME TO old;"
	    " CREATE TABLE events AS SELECT * FROM old WHERE 0;");
	check(source_find(src, all, &last) == SOURCE_TROUBLE,
	    "no stream begins there");
	check(source_find(src, all, &after) == SOURCE_TROUBLE,
	    "no client is told that it was reset");
	check(source_gap(src, all, 0, &known, &next) == SOURCE_TROUBLE,
	    "no gap is looked for");
	sql("DROP TABLE events; ALTER TABLE old RENAME TO events;");
	check(step(src) == SOURCE_END && gets(src, " 1 2 3"),
	    "the rows are read once the table is back");
	source_free(src);
}

/* ---- a damaged log ---- */

/* An index that gives ids out of order. */
static void
check_corrupt_index(void)
{
	const struct pattern p = { TEXT("a"), false };
	struct filter *f = filter_new(&p, 1, NULL, 0);
	struct source *src;
	const struct chunk *c;
	bool old;

	if (f == NULL)
		abort();
	log_close(new_log());
	sql("INSERT INTO events(topic, data)"
	    " VALUES('a', ''), ('a', ''), ('a', '');"
	    " CREATE INDEX backwards ON events(topic, 4 - id);"
	    " PRAGMA writable_schema = ON;"
	    " UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage)"
	    " FROM sqlite_schema WHERE name IN ('events_topic', 'backwards'))"
	    " - rootpage WHERE name IN ('events_topic', 'backwards');");
	src = new_source();
	check(source_chunk(src, f, 0, 0, &c, &old) == SOURCE_TROUBLE,
	    "an index that gives ids out of order is trouble");
	check(source_chunk(src, all, 0, 0, &c, &old) == SOURCE_OK,
	    "but not for a stream that does not use it");
	filter_free(f);
	source_free(src);
}

int
main(void)
{
	if (!begin())
		return 0;
	all = filter_new(NULL, 0, NULL, 0);
	if (all == NULL)
		abort();
	check_commit_within();
	check_removed();
	check_forgotten();
	check_restored_in_trouble();
	check_unread();
	check_rebuilt();
	check_corrupt_index();
	filter_free(all);
	return end();
}
