/*
 * Removing rows: by limits that the caller gives, or by the log's own rules of
 * retention.
 *
 * Rows are searched for without the lock and removed under it.  Rows never
 * change, so a row that was found is the same or is gone.
 */
#include "admin.h"

#include <stdio.h>
#include <stdlib.h>

#include "statement.h"
#include "prune.h"

/* VM steps: there are some thousands of removals, and each updates all rules,
   in 50 steps each. */
#define STEPS_OF_RULE INT64_C(500000)

#define SEARCH_ROWS \
	"100000" /* read in one query, as readers stop checkpoints */

static const char matches_text[] =
    " substr(CAST(topic AS BLOB), 1, iif(?2, length(CAST(?1 AS BLOB)),"
    " 0x7fffffff)) = CAST(?1 AS BLOB)";

/* Prepare a query with the condition on the topic: ?1 is the topic, ?2 whether
   it is a prefix.  A whole topic is found by index, and the empty prefix needs
   no comparison. */
static struct statement
prepare(struct log *log, const struct log_surplus *p, const char *before,
    const char *after)
{
	const char *match = matches_text;
	struct statement s;
	char text[512];

	if (p->is_prefix && p->topic.len == 0)
		match = " ?1 IS NOT NULL AND ?2 IS NOT NULL";
	else if (!p->is_prefix)
		match = " topic = ?1 AND ?2 IS NOT NULL";
	(void)snprintf(text, sizeof(text), "%s%s%s", before, match, after);
	s = statement_prepare(log, text);
	statement_unbound(&s); /* tables only, and as long as the log */
	statement_bind_text(&s, 1, p->topic);
	statement_bind_integer(&s, 2, p->is_prefix);
	return s;
}

/* Find the newest row that is too many. */
static enum log_result
find_limit(struct log *log, struct log_surplus *p)
{
	enum log_result result = LOG_OK;

	if (p->keep_rows >= 0) {
		struct statement s =
		    prepare(log, p, "SELECT id FROM events WHERE",
			" ORDER BY id DESC LIMIT 1 OFFSET ?3");

		statement_bind_integer(&s, 3, p->keep_rows);
		result = statement_end_value(&s, &p->upto_rows);
	}
	p->is_found = result == LOG_OK;
	return result;
}

/* The next rows to look at.  A row that is too old may stand anywhere, as
   clocks go back. */
#define NEXT_ROWS                                                    \
	" AND id > ?3 AND id <= iif(?5 > 0, 0x7fffffffffffffff, ?4)" \
	" ORDER BY id LIMIT " SEARCH_ROWS ")"

static void
bind_limits(struct statement *s, const struct log_surplus *p)
{
	statement_bind_integer(s, 3, p->after);
	statement_bind_integer(s, 4, p->upto_rows);
	statement_bind_integer(s, 5, p->before_ms);
}

/* Find the next ids to remove, and *upto, up to which rows were looked at; 0 at
   the end of the log. */
static enum log_result
find_surplus(struct log *log, const struct log_surplus *p,
    int64_t ids[LOG_REMOVE_MAX], int *n, int64_t *upto)
{
	struct statement s = prepare(log, p,
	    "SELECT id FROM (SELECT id, created_ms FROM events WHERE",
	    NEXT_ROWS " WHERE id <= ?4 OR (?5 > 0 AND created_ms < ?5)"
		      " LIMIT ?6");
	enum log_result result;

	bind_limits(&s, p);
	statement_bind_integer(&s, 6, LOG_REMOVE_MAX);
	*n = 0;
	while (*n < LOG_REMOVE_MAX && statement_step(&s))
		ids[(*n)++] = statement_integer(&s, 0);
	if ((result = statement_end(&s)) != LOG_OK)
		return result;
	if (*n == LOG_REMOVE_MAX) {
		*upto = ids[*n - 1];
		return LOG_OK;
	}
	s = prepare(log, p, "SELECT max(id) FROM (SELECT id FROM events WHERE",
	    NEXT_ROWS);
	bind_limits(&s, p);
	return statement_end_value(&s, upto);
}

/* ---- under the lock ---- */

/* Commit if all went well, else roll back. */
static enum log_result
finish(struct log *log, enum log_result result)
{
	if (result == LOG_OK)
		result = log_run(log, "COMMIT");
	log_rollback(log);
	return result;
}

static enum log_result
remove_ids(struct log *log, const int64_t *ids, int n, int64_t *removed)
{
	enum log_result result = LOG_OK;

	for (int i = 0; i < n && result == LOG_OK; i++) {
		struct statement s =
		    statement_begin(log, "DELETE FROM events WHERE id = ?1");

		statement_bind_integer(&s, 1, ids[i]);
		(void)statement_step(&s); /* no row */
		result = statement_end(&s);
		*removed += sqlite3_changes(log->db);
	}
	return result;
}

enum log_result
log_remove(struct log *log, struct log_surplus *surplus, int64_t *removed,
    bool *is_over)
{
	int64_t ids[LOG_REMOVE_MAX], upto = 0;
	enum log_result result;
	int n;

	*removed = 0;
	*is_over = false;
	if (!surplus->is_found && (result = find_limit(log, surplus)) != LOG_OK)
		return result;
	if ((result = find_surplus(log, surplus, ids, &n, &upto)) != LOG_OK)
		return result;
	if (n > 0 && (result = log_run(log, "BEGIN IMMEDIATE")) != LOG_OK)
		return result;
	if (n > 0)
		result = finish(log, remove_ids(log, ids, n, removed));
	*is_over = result == LOG_OK && upto == 0;
	if (result == LOG_OK)
		surplus->after = upto;
	return result;
}

/* ---- by rules ---- */

enum log_result
log_rules(struct log *log, int64_t *rules)
{
	return log_query(log, "SELECT count(*) FROM retention", rules);
}

/* The script returns the number of rules that still keep too much. */
static int
on_overdue(void *cookie, int n, char **values, char **names)
{
	int64_t *overdue = cookie;

	(void)names;
	if (n > 0 && values[0] != NULL)
		*overdue = strtoll(values[0], NULL, 10);
	return 0;
}

static enum log_result
remove_by_rules(struct log *log, int64_t *removed, int64_t *overdue)
{
	static const char removals[] = "SELECT removals FROM events_log";
	int64_t before = 0, after = 0, rules;
	enum log_result r;
	int rc;

	if ((r = log_query(log, removals, &before)) != LOG_OK ||
	    (r = log_rules(log, &rules)) != LOG_OK)
		return r;
	statement_allow(log, rules * STEPS_OF_RULE);
	rc = sqlite3_exec(log->db, log_prune, on_overdue, overdue, NULL);
	if (rc != SQLITE_OK)
		return log_fail(log, rc);
	r = log_query(log, removals, &after);
	*removed = after - before;
	return r;
}

enum log_result
log_remove_by_rules(struct log *log, int64_t *removed, int64_t *overdue)
{
	enum log_result result;

	*removed = *overdue = 0;
	if ((result = log_run(log, "BEGIN IMMEDIATE")) != LOG_OK)
		return result;
	return finish(log, remove_by_rules(log, removed, overdue));
}
