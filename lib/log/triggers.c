/*
 * The triggers of applications, for rowcast check: whether those on events let
 * an insert pass, and whether those on other tables publish.
 *
 * Invariant: each trial is undone.
 */
#include "triggers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "release.h"
#include "statement.h"

#define TRIGGERS_MAX 64 /* tried one by one */
#define ALL SIZE_MAX    /* of them */

static const char triggers[] =
    "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
    " AND tbl_name = 'events' COLLATE NOCASE";

/* ---- one insert ---- */

/* Drop the triggers of applications but this one. */
static enum log_result
keep_only(struct log *log, char *const *names, size_t n, size_t kept)
{
	enum log_result result = LOG_OK;

	for (size_t i = 0; i < n && result == LOG_OK; i++) {
		char *sql = i == kept ?
		    NULL :
		    sqlite3_mprintf("DROP TRIGGER main.\"%w\"", names[i]);

		if (sql != NULL)
			result = log_execute(log, sql);
		else if (i != kept)
			result = log_fail(log, SQLITE_NOMEM);
		sqlite3_free(sql);
	}
	return result;
}

static enum log_result
insert(struct log *log, const char *sql)
{
	enum log_result result = log_run(log, sql);

	if (result == LOG_OK && sqlite3_changes(log->db) == 0)
		return log_error(log, LOG_REFUSED, "it leaves the event out");
	return result;
}

/*
 * Insert a copy of the newest event, as triggers may know no other topics; if
 * that is refused, for they may know this event already, a plain one.
 *   kept   the only trigger of names that fires; n: none of them; or ALL
 */
static enum log_result
attempt(struct log *log, char *const *names, size_t n, size_t kept)
{
	static const char copy[] =
	    "INSERT INTO events (topic, event, data) SELECT topic, event, data"
	    " FROM events ORDER BY id DESC LIMIT 1";
	static const char plain[] =
	    "INSERT INTO events (data) VALUES ('rowcast check')";
	enum log_result result = log_run(log, "BEGIN IMMEDIATE");

	if (result != LOG_OK)
		return result;
	if (kept != ALL)
		result = keep_only(log, names, n, kept);
	if (result == LOG_OK)
		result = insert(log, copy);
	if (result == LOG_REFUSED && sqlite3_get_autocommit(log->db) == 0)
		result = insert(log, plain);
	log_rollback(log);
	return result;
}

/* ---- the trial ---- */

static bool
is_failure(enum log_result result)
{
	return result != LOG_OK && result != LOG_BUSY;
}

/* Find out which triggers fail, each alone. */
static void
blame(const struct check *c, struct log *log, char *const *names, size_t n)
{
	char why[LOG_WHY_MAX];
	bool is_named = false;

	memcpy(why, log->why, sizeof(why));
	/* does an insert fail without them, too? */
	if (is_failure(attempt(log, names, n, n)))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		if (!is_failure(attempt(log, names, n, i)))
			continue;
		is_named = true;
		finding_say(c, LOG_FINDING_WRONG, "insert",
		    "trigger %.100s refuses an event, or does not end: %s",
		    names[i], log_why(log));
	}
	if (!is_named)
		finding_say(c, LOG_FINDING_WRONG, "insert", "is refused: %s",
		    why);
}

static void
try_insert(const struct check *c, struct log *log, char *const *names, size_t n)
{
	enum log_result result = attempt(log, names, n, ALL);

	if (result == LOG_BUSY)
		finding_say(c, LOG_FINDING_WARNING, "insert",
		    "was not tried, because another program is writing: %s",
		    log_why(log));
	else if (result != LOG_OK)
		blame(c, log, names, n);
	else
		finding_say(c, LOG_FINDING_GOOD, "insert",
		    "of an event was tried and undone; triggers of"
		    " applications: %zu",
		    n);
}

static void
check_insert(const struct check *c, struct log *log)
{
	struct statement s = statement_prepare(log, triggers);
	char *names[TRIGGERS_MAX];
	enum log_result result;
	size_t n = 0;

	while (n < TRIGGERS_MAX && statement_step(&s)) {
		struct text name = statement_text(&s, 0);

		if (name.len > 0 && release_has_trigger(name))
			continue;
		names[n] =
		    name.bytes == NULL ? NULL : strndup(name.bytes, name.len);
		if (names[n] == NULL)
			statement_fail(&s, SQLITE_NOMEM);
		else
			n++;
	}
	result = statement_end(&s);
	if (result == LOG_OK)
		try_insert(c, log, names, n);
	else
		finding_say(c, LOG_FINDING_WRONG, "insert", "%s", log_why(log));
	while (n > 0)
		free(names[--n]);
}

/* ---- expected tables ---- */

/* Called for each access that a statement would make, also in triggers. */
static int
on_access(void *cookie, int action, const char *table, const char *column,
    const char *database, const char *trigger)
{
	bool *publishes = cookie;

	(void)column;
	(void)database;
	if (action == SQLITE_INSERT && trigger != NULL &&
	    strcmp(table, "events") == 0)
		*publishes = true;
	return SQLITE_OK;
}

/* Set *publishes to whether a statement on a table, which is prepared only,
   fires a trigger that inserts into events. */
static enum log_result
look_through(struct log *log, const char *format, const char *table,
    const char *columns, bool *publishes)
{
	char *sql = sqlite3_mprintf(format, table, columns);
	struct statement s;

	*publishes = false;
	if (sql == NULL)
		return log_fail(log, SQLITE_NOMEM);
	(void)sqlite3_set_authorizer(log->db, on_access, publishes);
	s = statement_prepare(log, sql);
	(void)sqlite3_set_authorizer(log->db, NULL, NULL);
	sqlite3_free(sql);
	return statement_end(&s);
}

/* Returns "a" = "a", "b" = "b", of all columns of a table; NULL if there are
   none.  The caller frees it. */
static char *
find_columns(struct log *log, const char *table)
{
	struct statement s = statement_prepare(log,
	    "SELECT group_concat(format('\"%w\" = \"%w\"', name, name), ', ')"
	    " FROM pragma_table_xinfo(?1, 'main') WHERE hidden = 0");
	char *columns = NULL;

	statement_bind_text(&s, 1, text_of(table));
	if (statement_step(&s)) {
		struct text t = statement_text(&s, 0);

		if (t.len > 0)
			columns = strndup(t.bytes, t.len);
	}
	(void)statement_end(&s); /* no columns: no table */
	return columns;
}

static void
say_expected(const struct check *c, const char *table, const bool found[3])
{
	static const char *const names[] = { "insert", "update", "delete" };
	const char *comma = "";
	char list[64];
	size_t len = 0;

	if (!found[0] && !found[1] && !found[2]) {
		finding_say(c, LOG_FINDING_WRONG, "expect",
		    "%.100s: no trigger publishes its changes: a migration that"
		    " makes a table anew drops its triggers: run the SQL that"
		    " creates them again",
		    table);
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		if (!found[i])
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
		    comma, names[i]);
		comma = ", ";
	}
	finding_say(c, LOG_FINDING_GOOD, "expect", "%.100s: published are: %s",
	    table, list);
}

static void
check_expected(const struct check *c, struct log *log, const char *table)
{
	static const char *const formats[] = {
		"INSERT INTO main.\"%w\" DEFAULT VALUES",
		"UPDATE main.\"%w\" SET %s",
		"DELETE FROM main.\"%w\"",
	};
	char *columns = find_columns(log, table);
	enum log_result result = LOG_OK;
	bool found[3];

	if (columns == NULL) {
		finding_say(c, LOG_FINDING_WRONG, "expect",
		    "%.100s: there is no such table", table);
		return;
	}
	for (size_t i = 0; i < 3 && result == LOG_OK; i++)
		result =
		    look_through(log, formats[i], table, columns, &found[i]);
	free(columns);
	if (result == LOG_OK)
		say_expected(c, table, found);
	else
		finding_say(c, LOG_FINDING_WRONG, "expect", "%.100s: %s", table,
		    log_why(log));
}

void
triggers_check(const struct check *c)
{
	const struct log_options options = {
		.path = c->path,
		.append = true,
		.bounded = true,
		.busy_ms = c->options->busy_ms,
	};
	char why[LOG_WHY_MAX];
	struct log *log;

	if (log_open(&options, &log, why) != LOG_OK) {
		finding_say(c, LOG_FINDING_WARNING, "insert",
		    "was not tried: %s", why);
		return;
	}
	check_insert(c, log);
	for (size_t i = 0; i < c->options->n_expected; i++)
		check_expected(c, log, c->options->expected[i]);
	log_close(log);
}
