/*
 * Reading the log, one page at a time.
 *
 * Invariant: no read transaction outlives a call, or log_end().  An open one
 * stops checkpoints and lets the WAL grow.
 */
#include "log.h"

#include <assert.h>

#include "statement.h"

enum log_result
log_begin(struct log *log)
{
	log_end(log); /* in case that failed before */
	return log_run(log, "BEGIN");
}

void
log_end(struct log *log)
{
	/* An error may have ended the transaction.  The commit of a read
	   cannot fail. */
	if (sqlite3_get_autocommit(log->db) == 0)
		(void)log_run(log, "COMMIT");
}

enum log_result
log_version(struct log *log, int64_t *version)
{
	return log_query(log, "PRAGMA data_version", version);
}

enum log_result
log_begin_judged(struct log *log)
{
	enum log_result result = log_begin(log);

	if (result == LOG_OK && (result = log_check_schema(log)) != LOG_OK)
		log_end(log);
	return result;
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
	if (*changed && (result = log_check_schema(log)) != LOG_OK)
		return result;
	log->data_version = version;
	return LOG_OK;
}

int64_t
log_schema_version(const struct log *log)
{
	return log->schema;
}

enum log_result
log_head(struct log *log, int64_t *head)
{
	/* sqlite_sequence can be set back by hand; the rows stay */
	return log_query(log,
	    "SELECT max(ifnull((SELECT CAST(seq AS INTEGER)"
	    " FROM sqlite_sequence WHERE name = 'events'), 0),"
	    " ifnull((SELECT max(id) FROM events), 0))",
	    head);
}

int64_t
log_ids_left(int64_t head)
{
	return head < EVENT_ID_MAX ? EVENT_ID_MAX - head : 0;
}

enum log_result
log_oldest(struct log *log, int64_t *oldest)
{
	/* With CHECKs off, rows <= 0 are possible; no cursor precedes them. */
	return log_query(log, "SELECT min(id) FROM events WHERE id > 0",
	    oldest);
}

enum log_result
log_next(struct log *log, int64_t after, int64_t *next)
{
	struct statement s =
	    statement_begin(log, "SELECT min(id) FROM events WHERE id > ?1");
	enum log_result result;

	statement_bind_integer(&s, 1, after);
	result = statement_end_value(&s, next);
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
 * The text of a read of n topics, or of all.  Data is read before the columns
 * that follow it in the file: if it is huge, SQLite fails before it looks for
 * them.  SQLite runs a compound SELECT with ORDER BY as a merge of its parts,
 * each of which walks the index on the topic, so that only matching rows are
 * read.
 *   owns     free with sqlite3_free(); NULL if out of memory
 */
static char *
range_text(const struct log_range *range, size_t n)
{
	sqlite3_str *text = sqlite3_str_new(NULL);

	for (size_t i = 0; i == 0 || i < n; i++) {
		sqlite3_str_appendf(text,
		    "%sSELECT id, topic, event%s%s FROM events"
		    " WHERE id > ?1 AND id <= ?2",
		    i > 0 ? " UNION ALL " : "",
		    range->is_back ? "" : ", data, retry_ms",
		    range->is_full ? ", created_ms, key" : "");
		if (n > 0)
			sqlite3_str_appendf(text, " AND topic = ?%d",
			    (int)i + 4);
	}
	sqlite3_str_appendf(text, " ORDER BY id%s LIMIT ?3",
	    range->is_back ? " DESC" : "");
	return sqlite3_str_finish(text);
}

static struct statement
begin_range(struct log *log, const struct log_range *range)
{
	const struct pattern *topics = NULL;
	struct statement s;
	sqlite3_stmt **slot;
	char *text = NULL;
	size_t n = 0;

	assert(!range->is_back || !range->is_full);
	if (range->filter != NULL && filter_is_exact(range->filter))
		topics = filter_patterns(range->filter, &n);
	slot = &log->reads[range->is_back ? 1 : range->is_full ? 2 : 0][n];
	if (*slot == NULL && (text = range_text(range, n)) == NULL)
		return (struct statement){ .log = log, .rc = SQLITE_NOMEM };
	s = statement_keep(log, slot, text);
	sqlite3_free(text);
	statement_bind_integer(&s, 1, range->after);
	statement_bind_integer(&s, 2, range->upto);
	statement_bind_integer(&s, 3, (int64_t)range->max_rows);
	for (size_t i = 0; i < n; i++)
		statement_bind_text(&s, (int)i + 4, topics[i].text);
	return s;
}

static struct event
read_row(struct statement *s, const struct log_range *range)
{
	struct event e = { .id = statement_integer(s, 0) };

	e.topic = statement_text(s, 1);
	e.name = statement_text(s, 2);
	e.retry_ms = EVENT_NO_RETRY;
	if (!range->is_back) {
		e.data = statement_text(s, 3);
		e.retry_ms = statement_retry_ms(s, 4);
	}
	if (range->is_full) {
		e.created_ms = statement_integer(s, 5);
		e.key = statement_text(s, 6);
	}
	return e;
}

/* Give the rows of a statement to the callback; returns how many it took. */
static size_t
take_rows(struct statement *s, const struct log_range *range, log_row_fn *row,
    void *cookie, int64_t *edge)
{
	bool is_taken = true;
	size_t n = 0;

	while (is_taken && statement_step(s)) {
		struct event e = read_row(s, range);

		/* the index is corrupt */
		if (range->is_back ? e.id > *edge : e.id <= *edge)
			statement_fail(s, SQLITE_CORRUPT_INDEX);
		/* a text without memory is not an empty text */
		if (statement_has_failed(s))
			break;
		is_taken = row(cookie, &e);
		if (is_taken) {
			*edge = range->is_back ? e.id - 1 : e.id;
			n++;
		}
	}
	if (is_taken && n < range->max_rows && !statement_has_failed(s))
		*edge = range->is_back ? range->after : range->upto;
	return n;
}

/* As log_read().  Set *is_huge if no row was taken, because one is huge. */
static enum log_result
read_range(struct log *log, const struct log_range *range, log_row_fn *row,
    void *cookie, int64_t *reached, bool *is_huge)
{
	struct statement s = begin_range(log, range);
	const bool has_limit = log->has_parts && !range->is_back;
	int limit = 0;
	size_t n;

	*is_huge = false;
	/* all rows up to here, or from here on if back, have been taken */
	*reached = range->is_back ? range->upto : range->after;
	if (has_limit)
		limit =
		    sqlite3_limit(log->db, SQLITE_LIMIT_LENGTH, LOG_HUGE_BYTES);
	n = take_rows(&s, range, row, cookie, reached);
	if (!has_limit)
		return statement_end(&s);
	(void)sqlite3_limit(log->db, SQLITE_LIMIT_LENGTH, limit);
	if (s.rc == SQLITE_TOOBIG) {
		s.rc = SQLITE_DONE; /* the rows before it have been read */
		*is_huge = n == 0;
	}
	return statement_end(&s);
}

enum log_result
log_read(struct log *log, const struct log_range *range, log_row_fn *row,
    void *cookie, int64_t *reached)
{
	struct log_range before = *range;
	enum log_result result;
	bool is_huge;

	result = read_range(log, range, row, cookie, reached, &is_huge);
	if (result != LOG_OK || !is_huge)
		return result;
	result = log_huge_precede(log, range, &before.upto);
	if (result == LOG_OK && before.upto > range->after)
		result =
		    read_range(log, &before, row, cookie, reached, &is_huge);
	if (result != LOG_OK || !is_huge)
		return result;
	return log_huge_read(log, range, row, cookie, reached);
}

enum log_result
log_find_row(struct log *log, const char *text, int64_t id, int64_t *found,
    int64_t *created_ms)
{
	struct statement s = statement_begin(log, text);
	bool is_there;

	statement_bind_integer(&s, 1, id);
	is_there = statement_step(&s);
	*found = is_there ? statement_integer(&s, 0) : 0;
	*created_ms = is_there ? statement_integer(&s, 1) : 0;
	return statement_end(&s);
}

enum log_result
log_before_time(struct log *log, int64_t created_ms, int64_t *after)
{
	static const char text[] = "SELECT id, created_ms FROM events"
				   " WHERE id >= ?1 ORDER BY id LIMIT 1";
	int64_t low, high = 0, id = 0, ms = 0;
	enum log_result result;

	*after = 0;
	if ((result = log_find_row(log, text, 1, &id, &ms)) != LOG_OK)
		return result;
	if (id == 0 || ms >= created_ms)
		return LOG_OK;
	low = id; /* the first row at or after low is too old */
	if ((result = log_head(log, &high)) != LOG_OK)
		return result;
	/* all rows after high, if any, are new enough */
	while (high > low) {
		int64_t middle = low + (high - low) / 2 + 1;

		if ((result = log_find_row(log, text, middle, &id, &ms)) !=
		    LOG_OK)
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
log_removed(struct log *log, int64_t after, log_row_fn *row, void *cookie)
{
	struct statement s = statement_begin(log,
	    "SELECT topic, id FROM events_removed WHERE id > ?1"
	    " UNION ALL SELECT NULL, forgotten FROM events_log"
	    " WHERE forgotten > ?1 ORDER BY id DESC");
	bool goes_on = true;

	statement_bind_integer(&s, 1, after);
	while (goes_on && statement_step(&s)) {
		struct event e = { .id = statement_integer(&s, 1) };

		e.topic = statement_text(&s, 0);
		goes_on = !statement_has_failed(&s) && row(cookie, &e);
	}
	return statement_end(&s);
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
	enum log_result result =
	    log_query(log, "SELECT removals FROM events_log", count);

	*highest = 0;
	if (result != LOG_OK || *count == 0)
		return result;
	return log_removed(log, 0, on_highest, highest);
}

enum log_result
log_removed_of(struct log *log, struct text topic, int64_t *removed)
{
	struct statement s = statement_begin(log,
	    "SELECT max(forgotten, ifnull((SELECT id FROM events_removed"
	    " WHERE topic = ?1), 0)) FROM events_log");

	statement_bind_text(&s, 1, topic);
	return statement_end_value(&s, removed);
}
