/*
 * Which release a log is of.  Triggers and views are rules that are stored in
 * the file, so a log keeps those of the release that created it.  log_upgrade()
 * replaces them by those of this release.
 *
 * Invariant: a part that no release has written is never changed or removed.
 */
#include "release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "statement.h"
#include "schema.h"

/* The hashes of the SQL of parts that have changed since a release; 0 if the
   part did not exist.  Each part may be listed more than once. */
static const struct {
	const char *name;
	uint64_t hash;
} earlier[] = {
	/* up to 0.1.0 */
	{ "events_in_order", 0xebd4c00f134c9bf8 },
	{ "events_retained", 0x5b355a968f1bbb8c },
	{ "events_retained_count", 0xf6fdccd7866cb441 },
	{ "events_kept", 0xb7f951849ac6ef47 },
	{ "events_prune", 0x5898cb178b84efa3 },
	{ "events_retain", 0x4fcd35b83a1996fd },
	{ "events_aged", 0 },
	{ "events_age", 0 },
	{ "events_searched", 0 },
	{ "events_search", 0 },
};

/* FNV-1a: it need not withstand attacks, for all that it permits is an
   upgrade. */
static uint64_t
hash(struct text t)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < t.len; i++)
		h = (h ^ (unsigned char)t.bytes[i]) * 0x100000001b3;
	return h;
}

/* Returns whether a part was like this in a release.  hash is 0 if it is
   missing. */
static bool
is_earlier(struct text name, uint64_t sql_hash)
{
	for (size_t i = 0; i < sizeof(earlier) / sizeof(earlier[0]); i++)
		if (text_is(name, earlier[i].name) &&
		    sql_hash == earlier[i].hash)
			return true;
	return false;
}

/* Returns whether mine is theirs with more columns, as ALTER TABLE writes
   them: before the constraints of the table. */
static bool
is_extended(struct text mine, struct text theirs)
{
	size_t more = mine.len - theirs.len;

	if (mine.len <= theirs.len)
		return false;
	for (size_t i = 0; i < theirs.len && mine.bytes[i] == theirs.bytes[i];
	     i++)
		if (mine.bytes[i + 1] == ',' &&
		    memcmp(mine.bytes + i + 1 + more, theirs.bytes + i + 1,
			theirs.len - i - 1) == 0)
			return true;
	return false;
}

bool
release_has_trigger(struct text name)
{
	static const char create[] = "CREATE TRIGGER ";
	const char *at = log_schema;

	while ((at = strstr(at, create)) != NULL) {
		at += sizeof(create) - 1;
		if (strcspn(at, " ") == name.len &&
		    memcmp(at, name.bytes, name.len) == 0)
			return true;
	}
	return false;
}

/* ---- comparison ---- */

/* mine is that of the log, sql that of schema.sql. */
static enum part_state
compare_sql(struct text type, struct text name, struct text sql,
    struct text mine)
{
	if (text_equal(mine, sql) ||
	    (text_is(type, "table") && is_extended(mine, sql)))
		return PART_SAME;
	return is_earlier(name, hash(mine)) ? PART_EARLIER : PART_DIFFERENT;
}

static enum log_result
judge(struct log *log, struct text type, struct text name, struct text sql,
    enum part_state *state)
{
	struct statement s = statement_prepare(log,
	    "SELECT sql, type FROM sqlite_schema WHERE name = ?1");
	struct text mine;

	statement_bind_text(&s, 1, name);
	*state = is_earlier(name, 0) ? PART_EARLIER : PART_MISSING;
	if (statement_step(&s)) {
		mine = statement_text(&s, 0);
		*state = PART_DIFFERENT;
		if (mine.len > 0 && text_equal(statement_text(&s, 1), type))
			*state = compare_sql(type, name, sql, mine);
	}
	return statement_end(&s);
}

static enum log_result
compare(struct log *log, struct log *fresh, part_fn *part, void *cookie)
{
	struct statement s = statement_prepare(fresh,
	    "SELECT type, name, sql FROM sqlite_schema WHERE sql NOT NULL"
	    " AND name NOT GLOB 'sqlite_*' ORDER BY rowid");
	enum log_result result = LOG_OK;
	enum part_state state;

	while (result == LOG_OK && statement_step(&s)) {
		struct text type = statement_text(&s, 0),
			    name = statement_text(&s, 1),
			    sql = statement_text(&s, 2);

		result = judge(log, type, name, sql, &state);
		if (result == LOG_OK && !part(cookie, type, name, sql, state))
			result = LOG_REFUSED;
	}
	if (statement_end(&s) != LOG_OK && result == LOG_OK)
		result = log_error(log, LOG_NO_MEMORY, "out of memory");
	return result;
}

enum log_result
release_compare(struct log *log, part_fn *part, void *cookie)
{
	struct log *fresh = log_open_memory();
	enum log_result result;

	if (fresh == NULL || log_execute(fresh, log_schema) != LOG_OK)
		result = log_error(log, LOG_NO_MEMORY, "out of memory");
	else
		result = compare(log, fresh, part, cookie);
	log_close(fresh);
	return result;
}
