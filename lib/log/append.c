/*
 * Appending: all events of a call in one transaction, or none.
 */
#include "log.h"

#include <string.h>

#include "statement.h"

/* A parameter that is not bound is NULL. */
static void
bind_event(struct statement *s, const struct event *e)
{
	statement_bind_text(s, 1, e->topic);
	statement_bind_text(s, 2, e->name);
	statement_bind_text(s, 3, e->data);
	if (e->retry_ms != EVENT_NO_RETRY)
		statement_bind_integer(s, 4, e->retry_ms);
	if (e->key.bytes != NULL)
		statement_bind_text(s, 5, e->key);
}

/* Nothing was inserted: compare the row that has the key. */
static enum log_result
find_key(struct log *log, const struct event *e, struct log_receipt *receipt)
{
	struct statement s = statement_begin(log,
	    "SELECT id, topic IS ?1 AND event IS ?2 AND data IS ?3"
	    " AND retry_ms IS ?4 FROM events WHERE key = ?5");
	bool is_there, is_same = false;
	enum log_result result;

	bind_event(&s, e);
	is_there = statement_step(&s);
	if (is_there) {
		*receipt =
		    (struct log_receipt){ statement_integer(&s, 0), false };
		is_same = statement_integer(&s, 1) != 0;
	}
	result = statement_end(&s);
	if (result != LOG_OK || is_same)
		return result;
	if (!is_there)
		return log_error(log, LOG_REFUSED,
		    "a trigger of the log leaves it out");
	return log_error(log, LOG_CONFLICT,
	    "its key belongs to event %lld, which differs",
	    (long long)receipt->id);
}

static enum log_result
insert(struct log *log, const struct event *e, struct log_receipt *receipt)
{
	struct statement s = statement_begin(log,
	    "INSERT INTO events(topic, event, data, retry_ms, key)"
	    " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(key) DO NOTHING"
	    " RETURNING id");
	enum log_result result;
	bool is_inserted;

	bind_event(&s, e);
	is_inserted = statement_step(&s);
	if (is_inserted) {
		*receipt =
		    (struct log_receipt){ statement_integer(&s, 0), true };
		(void)statement_step(&s); /* RETURNING only began it */
	}
	result = statement_end(&s);
	if (result != LOG_OK || is_inserted)
		return result;
	return find_key(log, e, receipt);
}

/* ---- the end of the ids ---- */

const char log_ids_used_up[] =
    "all ids are used up: 'sqlite3 -bail FILE <renumber.sql' gives the events"
    " new ones";

/* The schema refuses the id that SQLite gives after the last one. */
static enum log_result
explain(struct log *log, enum log_result result)
{
	char why[LOG_WHY_MAX];
	int64_t head = 0;

	if (result != LOG_REFUSED && result != LOG_FULL)
		return result;
	memcpy(why, log->why, sizeof(why));
	if (log_head(log, &head) == LOG_OK && head >= EVENT_ID_MAX)
		return log_error(log, LOG_BROKEN, "%s", log_ids_used_up);
	memcpy(log->why, why, sizeof(why));
	return result;
}

/* ---- groups ---- */

enum log_result
log_group_begin(struct log *log)
{
	enum log_result result = log_run(log, "BEGIN IMMEDIATE");

	/* another program may have rebuilt the table without its triggers */
	if (result == LOG_OK && (result = log_check_schema(log)) != LOG_OK)
		log_rollback(log);
	return result;
}

void
log_group_drop(struct log *log)
{
	log_rollback(log);
}

bool
log_group_is_open(const struct log *log)
{
	return sqlite3_get_autocommit(log->db) == 0;
}

/* A trigger's RAISE(FAIL) leaves the row that it refuses: undo it. */
enum log_result
log_group_add(struct log *log, const struct event *events, size_t n,
    struct log_receipt *receipts, size_t *culprit)
{
	enum log_result result;

	/* A trigger's RAISE(ROLLBACK) has ended the transaction of the group:
	   each event would be committed alone. */
	if (sqlite3_get_autocommit(log->db) != 0)
		return log_fail(log, SQLITE_ABORT_ROLLBACK);
	result = log_run(log, "SAVEPOINT request");
	for (size_t i = 0; i < n && result == LOG_OK; i++) {
		*culprit = i;
		result = explain(log, insert(log, &events[i], &receipts[i]));
	}
	if (result == LOG_OK)
		return log_run(log, "RELEASE request");
	if ((result == LOG_REFUSED || result == LOG_CONFLICT) &&
	    sqlite3_get_autocommit(log->db) == 0 &&
	    (log_run(log, "ROLLBACK TO request") != LOG_OK ||
		log_run(log, "RELEASE request") != LOG_OK))
		return LOG_BROKEN;
	return result;
}

enum log_result
log_group_commit(struct log *log)
{
	enum log_result result = log_run(log, "COMMIT");

	if (result != LOG_OK)
		log_rollback(log);
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
		log_rollback(log);
		return result;
	}
	return log_group_commit(log);
}
