/*
 * Appending to the log: all events of a call in one transaction, or none.
 */
#include "log.h"

#include <stdio.h>
#include <string.h>

#include "log_sqlite.h"

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
find_key(struct log *log, struct text key, struct log_receipt *receipt)
{
	sqlite3_stmt *s = log_statement(log, LOG_S_BY_KEY);
	int rc;

	if (s == NULL)
		return log_fail(log, sqlite3_errcode(log->db));
	rc = bind_text(s, 1, key);
	if (rc != SQLITE_OK)
		return log_fail(log, rc);
	receipt->is_new = false;
	return log_integer(log, s, 0, &receipt->id);
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
		result = find_key(log, e->key, receipt);
	}
	if (rc != SQLITE_DONE)
		result = log_fail(log, rc);
	(void)sqlite3_reset(s);          /* repeats the error that step gave */
	(void)sqlite3_clear_bindings(s); /* always SQLITE_OK */
	return result;
}

/* Undo, keeping the words for what went wrong. */
static void
rollback(struct log *log)
{
	if (sqlite3_get_autocommit(log->db) == 0)
		(void)sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
}

enum log_result
log_append(struct log *log, const struct event *events, size_t n,
    struct log_receipt *receipts, size_t *culprit)
{
	enum log_result result;
	int rc;

	rc = sqlite3_exec(log->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return log_fail(log, rc);
	for (size_t i = 0; i < n; i++) {
		result = insert(log, &events[i], &receipts[i]);
		if (result != LOG_OK) {
			*culprit = i;
			rollback(log);
			return result;
		}
	}
	rc = sqlite3_exec(log->db, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return LOG_OK;
	result = log_fail(log, rc);
	rollback(log);
	return result;
}
