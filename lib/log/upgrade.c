/*
 * Upgrading a log to the schema of this release, in one transaction.
 *
 * Tables of events stay as they are.  Views and triggers of an earlier release
 * are dropped and made again; so is a table of one, whose rows are kept aside
 * meanwhile.  What is missing is made: copies and migration tools lose parts.
 * A part that was changed by hand ends the upgrade.
 */
#include "admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "release.h"
#include "statement.h"

struct upgrade {
	struct log *log;
	enum log_result result;
	int64_t *changed;     /* parts */
	int64_t missing;      /* parts */
	bool forgot_removals; /* the trigger that remembers them was missing */
};

/* Run SQL with a name in it, in the place of each %w.  It must fire no trigger,
   for it may take as long as an index takes to make. */
static enum log_result
run_on(struct log *log, const char *format, struct text name)
{
	char *bare = sqlite3_mprintf("%.*s", (int)name.len, name.bytes);
	char *sql = bare == NULL ? NULL : sqlite3_mprintf(format, bare, bare);
	enum log_result result = sql == NULL ?
	    log_fail(log, SQLITE_NOMEM) :
	    log_execute_long(log, sql, INT64_MAX);

	sqlite3_free(sql);
	sqlite3_free(bare);
	return result;
}

/* ---- dropping ---- */

/* An index or a trigger of an application on a table would go with it. */
static enum log_result
refuse_attached(struct log *log, struct text table)
{
	struct statement s = statement_prepare(log,
	    "SELECT count(*) FROM sqlite_schema WHERE tbl_name = ?1"
	    " AND type <> 'table' AND sql NOT NULL"
	    " AND name NOT GLOB 'events_*'");
	enum log_result result;
	int64_t n = 0;

	statement_bind_text(&s, 1, table);
	result = statement_end_value(&s, &n);
	if (result == LOG_OK && n > 0)
		return log_error(log, LOG_REFUSED,
		    "its table %.*s has an index or a trigger that is not"
		    " rowcast's: drop it, and run this again",
		    (int)table.len, table.bytes);
	return result;
}

static enum log_result
drop(struct log *log, struct text type, struct text name)
{
	enum log_result r;

	/* a trigger may have gone with its view */
	if (text_is(type, "trigger"))
		return run_on(log, "DROP TRIGGER IF EXISTS main.\"%w\"", name);
	if (text_is(type, "view"))
		return run_on(log, "DROP VIEW IF EXISTS main.\"%w\"", name);
	if (text_is(type, "index"))
		return run_on(log, "DROP INDEX main.\"%w\"", name);
	if ((r = refuse_attached(log, name)) != LOG_OK)
		return r;
	r = run_on(log,
	    "CREATE TEMP TABLE \"kept_%w\" AS SELECT * FROM main.\"%w\"", name);
	return r != LOG_OK ? r : run_on(log, "DROP TABLE main.\"%w\"", name);
}

static enum log_result
refuse_different(struct log *log, struct text type, struct text name)
{
	if (text_is(type, "table"))
		return log_error(log, LOG_REFUSED,
		    "its table %.*s is not that of any release, as after a"
		    " migration: %s",
		    (int)name.len, name.bytes, log_remake);
	return log_error(log, LOG_REFUSED,
	    "its %.*s %.*s is not that of any release: if nothing needs the"
	    " change, 'DROP %.*s %.*s', and run this again",
	    (int)type.len, type.bytes, (int)name.len, name.bytes, (int)type.len,
	    type.bytes, (int)name.len, name.bytes);
}

/* Before anything is dropped: a trigger goes with its table or view. */
static bool
on_judged_part(void *cookie, struct text type, struct text name,
    struct text sql, enum part_state state)
{
	struct upgrade *u = cookie;

	(void)sql;
	switch (state) {
	case PART_SAME:
		return true;
	case PART_EARLIER:
		++*u->changed;
		return true;
	case PART_MISSING:
		++*u->changed;
		u->missing++;
		if (text_is(name, "events_remember_removed"))
			u->forgot_removals = true;
		break;
	case PART_DIFFERENT:
		u->result = refuse_different(u->log, type, name);
	}
	return u->result == LOG_OK;
}

static bool
on_old_part(void *cookie, struct text type, struct text name, struct text sql,
    enum part_state state)
{
	struct upgrade *u = cookie;

	(void)sql;
	if (state == PART_EARLIER)
		u->result = drop(u->log, type, name);
	return u->result == LOG_OK;
}

/* ---- making ---- */

/* Put the rows back that drop() has kept, in the columns that there still
   are.  Computed columns are left out. */
static enum log_result
put_back(struct log *log, struct text table)
{
	struct statement s = statement_prepare(log,
	    "SELECT 'INSERT INTO main.\"' || ?1 || '\" (' || names || ')"
	    " SELECT ' || names || ' FROM temp.\"kept_' || ?1 || '\";"
	    " DROP TABLE temp.\"kept_' || ?1 || '\"' FROM ("
	    "SELECT group_concat('\"' || name || '\"') AS names"
	    " FROM pragma_table_xinfo(?1, 'main') WHERE hidden = 0 AND name IN"
	    " (SELECT name FROM pragma_table_info('kept_' || ?1)))"
	    " WHERE EXISTS (SELECT 1 FROM sqlite_temp_schema"
	    " WHERE name = 'kept_' || ?1)");
	enum log_result result;
	char *sql = NULL;

	statement_bind_text(&s, 1, table);
	if (statement_step(&s)) {
		struct text t = statement_text(&s, 0);

		sql = strndup(t.bytes != NULL ? t.bytes : "", t.len);
		if (sql == NULL)
			statement_fail(&s, SQLITE_NOMEM);
	}
	result = statement_end(&s);
	if (result == LOG_OK && sql != NULL)
		result = log_execute(log, sql);
	free(sql);
	return result;
}

static bool
on_new_part(void *cookie, struct text type, struct text name, struct text sql,
    enum part_state state)
{
	struct upgrade *u = cookie;

	if (state == PART_SAME)
		return true;
	u->result = run_on(u->log, "%s", sql);
	if (u->result == LOG_OK && text_is(type, "table"))
		u->result = put_back(u->log, name);
	return u->result == LOG_OK;
}

/* ---- what the new parts need ---- */

static enum log_result
settle(struct upgrade *u)
{
	static const char rows[] =
	    "INSERT INTO events_log SELECT lower(hex(randomblob(16))), 0, 0"
	    " WHERE NOT EXISTS (SELECT 1 FROM events_log);"
	    /* a new search shows which rows are late */
	    "UPDATE events_retained SET late_ms = 0"
	    " WHERE max_age_ms NOT NULL AND late_ms IS NULL;"
	    /* lost by a copy */
	    "UPDATE retention SET max_rows = max_rows"
	    " WHERE topic_pattern NOT IN"
	    " (SELECT topic_pattern FROM events_retained)";
	/* rows were inserted or removed without being counted */
	static const char all[] = "UPDATE retention SET max_rows = max_rows";
	static const char unknown[] =
	    "UPDATE events_log SET removals = removals + 1, forgotten ="
	    " max(forgotten, ifnull((SELECT seq FROM sqlite_sequence"
	    " WHERE name = 'events'), 0))";
	/* a rule that changes reads all rows; an application's triggers may
	   fire, without end */
	static const char work[] = "SELECT 100 * (SELECT count(*) FROM events)"
				   " * (SELECT count(*) FROM retention)";
	int64_t steps = 0;
	enum log_result r = log_query(u->log, work, &steps);

	if (r == LOG_OK)
		r = log_execute_long(u->log, rows, steps);
	if (r == LOG_OK && u->forgot_removals)
		r = log_execute(u->log, unknown);
	if (r == LOG_OK && u->missing > 0)
		r = log_execute_long(u->log, all, steps);
	return r;
}

static enum log_result
set_version(struct upgrade *u)
{
	int64_t version = 0;
	enum log_result r = log_query(u->log, "PRAGMA user_version", &version);

	if (r != LOG_OK || version != 0)
		return r;
	++*u->changed;
	return log_execute(u->log, "PRAGMA user_version = 1");
}

static enum log_result
change(struct upgrade *u)
{
	enum log_result r = release_compare(u->log, on_judged_part, u);

	if (r == LOG_OK && *u->changed > 0)
		r = release_compare(u->log, on_old_part, u);
	if (r == LOG_OK && *u->changed > 0)
		r = release_compare(u->log, on_new_part, u);
	if (r == LOG_REFUSED)
		r = u->result;
	if (r == LOG_OK)
		r = set_version(u);
	return r == LOG_OK && *u->changed > 0 ? settle(u) : r;
}

enum log_result
log_upgrade(struct log *log, int64_t *changed)
{
	struct upgrade u = { .log = log, .changed = changed };
	enum log_result r;

	*changed = 0;
	if ((r = log_run(log, "BEGIN IMMEDIATE")) != LOG_OK)
		return r;
	r = change(&u);
	if (r == LOG_OK)
		r = log_read_identity(log);
	if (r == LOG_OK)
		r = log_run(log, "COMMIT");
	log_rollback(log);
	return r;
}
