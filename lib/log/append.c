/*
 * Appending to the log: all events of a call in one transaction, or none.
 */
#include "log.h"

#include <stdio.h>
#include <string.h>

#include "statement.h"

static int
bind_text(sqlite3_stmt *s, int index, struct text t)
{
	/* NULL would bind SQL NULL; the bytes outlive the step. */
	return sqlite3_bind_text64(s, index, t.bytes != NULL ? t.bytes : "",
	    t.len, SQLITE_STATIC, SQLITE_UTF8);
}

static int
bind_event(sqlite3_stmt *s, const struct event *e)
{
	int rc;

	if ((rc = bind_text(s, 1, e->topic)) != SQLITE_OK ||
	    (rc = bind_text(s, 2, e->name)) != SQLITE_OK ||
	    (rc = bind_text(s, 3, e->data)) != SQLITE_OK)
		return rc;
	rc = e->retry_ms == EVENT_NO_RETRY ?
	    sqlite3_bind_null(s, 4) :
	    sqlite3_bind_int64(s, 4, e->retry_ms);
	if (rc != SQLITE_OK)
		return rc;
	return e->key.bytes == NULL ? sqlite3_bind_null(s, 5) :
				      bind_text(s, 5, e->key);
}

static enum log_result
conflict(struct log *log, int64_t id)
{
	(void)snprintf(log->why, sizeof(log->why),
	    "its key belongs to event %lld, which is another one",
	    (long long)id);
	return LOG_CONFLICT;
}

/* Nothing was inserted: is the row that has its key the same event? */
static enum log_result
find_key(struct log *log, const struct event *e, struct log_receipt *receipt)
{
	sqlite3_stmt *s = log_statement(log, LOG_S_BY_KEY);
	enum log_result result = LOG_OK;
	int rc;

	if (s == NULL)
		return log_fail(log, sqlite3_errcode(log->db));
	rc = bind_event(s, e);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		receipt->id = sqlite3_column_int64(s, 0);
		receipt->is_new = false;
		if (sqlite3_column_int(s, 1) == 0)
			result = conflict(log, receipt->id);
	} else if (rc == SQLITE_DONE) {
		(void)snprintf(log->why, sizeof(log->why),
		    "a trigger of the log leaves it out");
		result = LOG_REFUSED;
	} else {
		result = log_fail(log, rc);
	}
	(void)sqlite3_reset(s);          /* repeats the error that step gave */
	(void)sqlite3_clear_bindings(s); /* always SQLITE_OK */
	return result;
}

static enum log_result
insert(struct log *log, const struct event *e, struct log_receipt *receipt)
{
	enum log_result result = LOG_OK;
	sqlite3_stmt *s;
	int rc;

	s = log_statement(log, LOG_S_INSERT);
	if (s == NULL)
		return log_fail(log, sqlite3_errcode(log->db));
	rc = bind_event(s, e);
	if (rc != SQLITE_OK)
		return log_fail(log, rc);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		receipt->id = sqlite3_column_int64(s, 0);
		receipt->is_new = true;
		rc = sqlite3_step(s); /* finish: RETURNING only began it */
	} else if (rc == SQLITE_DONE) {
		result = find_key(log, e, receipt);
	}
	if (rc != SQLITE_DONE)
		result = log_fail(log, rc);
	(void)sqlite3_reset(s);          /* repeats the error that step gave */
	(void)sqlite3_clear_bindings(s); /* always SQLITE_OK */
	return result;
}

/* ---- groups ---- */

enum log_result
log_group_begin(struct log *log)
{
	return log_run(log, LOG_S_BEGIN_WRITE);
}

void
log_group_drop(struct log *log)
{
	char why[LOG_WHY_MAX];

	if (sqlite3_get_autocommit(log->db) != 0) /* an error has ended it */
		return;
	memcpy(why, log->why, sizeof(why)); /* the words for what went wrong */
	(void)log_run(log, LOG_S_ROLLBACK); /* nothing else can be done */
	memcpy(log->why, why, sizeof(why));
}

/* A row that is refused may be there: a trigger's RAISE(FAIL) leaves it. */
enum log_result
log_group_add(struct log *log, const struct event *events, size_t n,
    struct log_receipt *receipts, size_t *culprit)
{
	enum log_result result;
	char why[LOG_WHY_MAX];

	/* a trigger's RAISE(ROLLBACK) ended it: each would be stored alone */
	if (sqlite3_get_autocommit(log->db) != 0)
		return log_fail(log, SQLITE_ABORT_ROLLBACK);
	result = log_run(log, LOG_S_SAVE);
	for (size_t i = 0; i < n && result == LOG_OK; i++) {
		*culprit = i;
		result = insert(log, &events[i], &receipts[i]);
	}
	if (result == LOG_OK)
		return log_run(log, LOG_S_RELEASE);
	memcpy(why, log->why, sizeof(why));
	if ((result == LOG_REFUSED || result == LOG_CONFLICT) &&
	    sqlite3_get_autocommit(log->db) == 0 &&
	    (log_run(log, LOG_S_UNDO) != LOG_OK ||
		log_run(log, LOG_S_RELEASE) != LOG_OK))
		return LOG_BROKEN;
	memcpy(log->why, why, sizeof(why));
	return result;
}

enum log_result
log_group_commit(struct log *log)
{
	enum log_result result = log_run(log, LOG_S_END);

	if (result != LOG_OK)
		log_group_drop(log);
	return result;
}

enum log_result
log_append(struct log *log, const struct event *events, size_t n,
    struct log_receipt *receipts, size_t *culprit)
{
	enum log_result result = log_group_begin(log);

	if (result != LOG_OK)
		return result;
	result = log_group_add(log, events, n, receipts, culprit);
	if (result != LOG_OK) {
		log_group_drop(log);
		return result;
	}
	return log_group_commit(log);
}
