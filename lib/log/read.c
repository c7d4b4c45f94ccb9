/*
 * Reading the log, a page at a time.
 *
 * Every function leaves its statement reset, so no read transaction outlives a
 * call, or log_end(): an open one would stop checkpoints and let the WAL grow.
 */
#include "log.h"

#include <stdio.h>
#include <stdlib.h>

#include "statement.h"

enum log_result
log_begin(struct log *log)
{
	log_end(log); /* should that have failed before */
	return log_run(log, LOG_S_BEGIN);
}

void
log_end(struct log *log)
{
	/* an error may have ended it; of reading there is nothing to commit
	   that could fail */
	if (sqlite3_get_autocommit(log->db) == 0)
		(void)log_run(log, LOG_S_END);
}

enum log_result
log_version(struct log *log, int64_t *version)
{
	return log_integer(log, log_statement(log, LOG_S_DATA_VERSION), 0,
	    version);
}

enum log_result
log_changed(struct log *log, bool *changed)
{
	enum log_result result;
	int64_t version;

	result = log_version(log, &version);
	if (result != LOG_OK)
		return result;
	*changed = version != log->data_version;
	log->data_version = version;
	return LOG_OK;
}

enum log_result
log_head(struct log *log, int64_t *head)
{
	return log_integer(log, log_statement(log, LOG_S_HEAD), 0, head);
}

enum log_result
log_oldest(struct log *log, int64_t *oldest)
{
	return log_integer(log, log_statement(log, LOG_S_OLDEST), 0, oldest);
}

enum log_result
log_next(struct log *log, int64_t after, int64_t *next)
{
	sqlite3_stmt *s = log_statement(log, LOG_S_NEXT);
	enum log_result result;

	if (s == NULL || sqlite3_bind_int64(s, 1, after) != SQLITE_OK)
		return log_fail(log, sqlite3_errcode(log->db));
	result = log_integer(log, s, 0, next);
	if (result != LOG_OK || *next != 0)
		return result;
	result = log_head(log, next);
	if (after > *next)
		*next = after;
	if (*next < INT64_MAX)
		(*next)++;
	return result;
}

/*
 * A statement that merges the rows of n topics by id.  SQLite runs a compound
 * SELECT with ORDER BY as a merge of its parts, each of which walks the index
 * on the topic, so only the rows asked for are touched.
 */
static sqlite3_stmt *
by_topic_statement(struct log *log, bool back, size_t n)
{
	sqlite3_stmt **slot = &log->by_topic[back ? 1 : 0][n];
	sqlite3_str *text;
	char *sql;

	if (*slot != NULL)
		return *slot;
	text = sqlite3_str_new(log->db);
	for (size_t i = 0; i < n; i++)
		sqlite3_str_appendf(text,
		    "%sSELECT id, topic, event, retry_ms"
		    "%s FROM events WHERE topic = ?%d AND id > ?1 AND id <= ?2",
		    i == 0 ? "" : " UNION ALL ", back ? "" : ", data",
		    (int)i + 4);
	sqlite3_str_appendf(text, " ORDER BY id%s LIMIT ?3",
	    back ? " DESC" : "");
	sql = sqlite3_str_finish(text);
	if (sql == NULL) {
		(void)snprintf(log->why, sizeof(log->why), "out of memory");
		return NULL;
	}
	(void)log_prepare(log, slot, sql); /* the slot tells */
	sqlite3_free(sql);
	return *slot;
}

static int
bind_topic(sqlite3_stmt *s, int index, struct text t)
{
	/* NULL would bind SQL NULL; the bytes outlive the step */
	return sqlite3_bind_text64(s, index, t.len > 0 ? t.bytes : "", t.len,
	    SQLITE_STATIC, SQLITE_UTF8);
}

static sqlite3_stmt *
range_statement(struct log *log, const struct log_range *range, bool back)
{
	sqlite3_stmt *s;
	int rc;

	log->ticks = 0;
	if (range->n_topics == 0)
		s = log_statement(log, back ? LOG_S_READ_BACK : LOG_S_READ);
	else
		s = by_topic_statement(log, back, range->n_topics);
	if (s == NULL)
		return NULL;
	if ((rc = sqlite3_bind_int64(s, 1, range->after)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(s, 2, range->upto)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(s, 3, (int64_t)range->max_rows)) !=
		SQLITE_OK) {
		(void)log_fail(log, rc);
		return NULL;
	}
	for (size_t i = 0; i < range->n_topics; i++) {
		const struct text *t = &range->topics[i];

		rc = bind_topic(s, (int)i + 4, *t);
		if (rc != SQLITE_OK) {
			(void)log_fail(log, rc);
			return NULL;
		}
	}
	return s;
}

/*
 * Checks can be turned off, and a client that is told to wait for a thousand
 * years is lost.
 */
static int64_t
retry_ms(sqlite3_stmt *s, int column)
{
	int64_t ms = sqlite3_column_int64(s, column);

	if (sqlite3_column_type(s, column) != SQLITE_INTEGER || ms < 0 ||
	    ms > EVENT_RETRY_MAX_MS)
		return EVENT_NO_RETRY;
	return ms;
}

static enum log_result
read_range(struct log *log, const struct log_range *range, bool back,
    log_row_fn *row, void *cookie, int64_t *reached)
{
	/* what is still to come lies on the other side of it */
	int64_t edge = back ? range->upto : range->after;
	enum log_result result = LOG_OK;
	bool is_taken = true;
	size_t n = 0;
	sqlite3_stmt *s;
	int rc;

	s = range_statement(log, range, back);
	if (s == NULL)
		return log_fail(log, sqlite3_errcode(log->db));
	while (is_taken && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct event e = { .id = sqlite3_column_int64(s, 0) };

		e.topic = log_column(s, 1);
		e.name = log_column(s, 2);
		e.retry_ms = retry_ms(s, 3);
		if (!back)
			e.data = log_column(s, 4);
		/* text that there was no memory for is not empty */
		if (sqlite3_errcode(log->db) == SQLITE_NOMEM) {
			result = log_fail(log, SQLITE_NOMEM);
			break;
		}
		if (back ? e.id > edge : e.id <= edge) {
			/* what is out of order cannot be trusted */
			result = log_fail(log, SQLITE_CORRUPT_INDEX);
			break;
		}
		is_taken = row(cookie, &e);
		if (is_taken) {
			edge = back ? e.id - 1 : e.id;
			n++;
		}
	}
	if (result == LOG_OK && is_taken && rc != SQLITE_DONE)
		result = log_fail(log, rc);
	(void)sqlite3_reset(s); /* repeats the error that step gave */
	if (is_taken && n < range->max_rows)
		edge = back ? range->after : range->upto;
	*reached = edge;
	return result;
}

enum log_result
log_read(struct log *log, const struct log_range *range, log_row_fn *row,
    void *cookie, int64_t *reached)
{
	return read_range(log, range, false, row, cookie, reached);
}

enum log_result
log_read_back(struct log *log, const struct log_range *range, log_row_fn *row,
    void *cookie, int64_t *reached)
{
	return read_range(log, range, true, row, cookie, reached);
}

/* The first row with id >= from: its id and time; id 0 if there is none. */
static enum log_result
created(struct log *log, int64_t from, int64_t *id, int64_t *created_ms)
{
	sqlite3_stmt *s = log_statement(log, LOG_S_CREATED);
	enum log_result result = LOG_OK;
	int rc;

	*id = 0;
	*created_ms = 0;
	if (s == NULL || sqlite3_bind_int64(s, 1, from) != SQLITE_OK)
		return log_fail(log, sqlite3_errcode(log->db));
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		*id = sqlite3_column_int64(s, 0);
		*created_ms = sqlite3_column_int64(s, 1);
	} else if (rc != SQLITE_DONE) {
		result = log_fail(log, rc);
	}
	(void)sqlite3_reset(s); /* repeats the error that step gave */
	return result;
}

enum log_result
log_before_time(struct log *log, int64_t created_ms, int64_t *after)
{
	int64_t low, high = 0, id = 0, ms = 0;
	enum log_result result;

	*after = 0;
	if ((result = created(log, 1, &id, &ms)) != LOG_OK)
		return result;
	if (id == 0 || ms >= created_ms)
		return LOG_OK;
	low = id; /* the first row at or after low is too old */
	if ((result = log_head(log, &high)) != LOG_OK)
		return result;
	/* all rows after high, if any, are new enough */
	while (high > low) {
		int64_t middle = low + (high - low) / 2 + 1;

		if ((result = created(log, middle, &id, &ms)) != LOG_OK)
			return result;
		if (id == 0 || ms >= created_ms)
			high = middle - 1;
		else
			low = id < high ? id : high;
	}
	*after = high;
	return LOG_OK;
}

enum log_result
log_note(struct log *log, int64_t id, struct log_mark *mark)
{
	enum log_result result;

	result = created(log, id, &mark->id, &mark->created_ms);
	if (result != LOG_OK || mark->id != id)
		mark->id = 0;
	return result;
}

enum log_result
log_has(struct log *log, const struct log_mark *mark, bool *has)
{
	enum log_result result = LOG_OK;
	struct log_mark now;

	*has = true;
	if (mark->id == 0)
		return LOG_OK;
	result = log_note(log, mark->id, &now);
	if (result == LOG_OK && now.id != 0)
		*has = now.created_ms == mark->created_ms;
	return result;
}

enum log_result
log_removed(struct log *log, int64_t after, log_row_fn *row, void *cookie)
{
	sqlite3_stmt *s = log_statement(log, LOG_S_REMOVED);
	enum log_result result = LOG_OK;
	bool goes_on = true;
	int rc;

	if (s == NULL || sqlite3_bind_int64(s, 1, after) != SQLITE_OK)
		return log_fail(log, sqlite3_errcode(log->db));
	while (goes_on && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct event e = { .id = sqlite3_column_int64(s, 1) };

		e.topic = log_column(s, 0);
		goes_on = row(cookie, &e);
	}
	if (goes_on && rc != SQLITE_DONE)
		result = log_fail(log, rc);
	(void)sqlite3_reset(s); /* repeats the error that step gave */
	return result;
}

static bool
on_highest(void *cookie, const struct event *e)
{
	*(int64_t *)cookie = e->id;
	return false;
}

enum log_result
log_removals(struct log *log, int64_t *count, int64_t *highest)
{
	enum log_result result;

	result = log_integer(log, log_statement(log, LOG_S_REMOVALS), 0, count);
	*highest = 0;
	if (result != LOG_OK || *count == 0)
		return result;
	return log_removed(log, 0, on_highest, highest);
}

enum log_result
log_removed_of(struct log *log, struct text topic, int64_t *removed)
{
	sqlite3_stmt *s = log_statement(log, LOG_S_REMOVED_OF);

	if (s == NULL || bind_topic(s, 1, topic) != SQLITE_OK)
		return log_fail(log, sqlite3_errcode(log->db));
	return log_integer(log, s, 0, removed);
}
