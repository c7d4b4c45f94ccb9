/*
 * Events whose data is too long to be read at once.
 *
 * SQLite loads a text whole, however little of it is used.  While log_read()
 * runs, a limit on the length of texts makes SQLite fail before it loads one.
 * Then that row is read without its data, and the data in parts.
 */
#include "statement.h"

enum log_result
log_huge_prepare(struct log *log)
{
	struct statement s = statement_begin(log, "PRAGMA encoding");

	/* a text in UTF-16 could not be read in parts of UTF-8 */
	if (statement_step(&s))
		log->has_parts = text_is(statement_text(&s, 0), "UTF-8");
	return statement_end(&s);
}

/* ---- a part ---- */

/* Open the data of a row.  *blob is NULL if it has no text or is gone. */
static enum log_result
open_data(struct log *log, int64_t id, sqlite3_blob **blob)
{
	int rc;

	log->ticks = 0;
	rc = sqlite3_blob_open(log->db, "main", "events", "data", id, 0, blob);
	if ((rc & 0xff) == SQLITE_OK || (rc & 0xff) == SQLITE_ERROR)
		return LOG_OK;
	return log_fail(log, rc);
}

enum log_result
log_read_part(struct log *log, int64_t id, size_t from, char *bytes,
    size_t *len)
{
	enum log_result result;
	sqlite3_blob *blob;
	size_t whole;
	int rc = SQLITE_OK;

	if ((result = open_data(log, id, &blob)) != LOG_OK)
		return result;
	whole = blob != NULL ? (size_t)sqlite3_blob_bytes(blob) : 0;
	if (from >= whole)
		*len = 0;
	else if (*len > whole - from)
		*len = whole - from;
	if (*len > 0)
		rc = sqlite3_blob_read(blob, bytes, (int)*len, (int)from);
	if (rc != SQLITE_OK)
		result = log_fail(log, rc);
	(void)sqlite3_blob_close(blob); /* repeats the error of the read */
	return result;
}

/* ---- the row ---- */

static enum log_result
data_len(struct log *log, int64_t id, size_t *len)
{
	sqlite3_blob *blob;
	enum log_result result = open_data(log, id, &blob);

	if (result != LOG_OK)
		return result;
	*len = blob != NULL ? (size_t)sqlite3_blob_bytes(blob) : 0;
	(void)sqlite3_blob_close(blob); /* nothing was read */
	return LOG_OK;
}

/* Set *id to the first row of a topic, or of all topics if NULL; 0 if there is
   none in the range. */
static enum log_result
first_of_topic(struct log *log, const struct log_range *range,
    const struct pattern *topic, int64_t *id)
{
	static const char any[] = "SELECT min(id) FROM events WHERE id > ?1";
	static const char one[] = "SELECT min(id) FROM events"
				  " WHERE topic = ?2 AND id > ?1";
	struct statement s = statement_begin(log, topic != NULL ? one : any);
	enum log_result result;

	statement_bind_integer(&s, 1, range->after);
	if (topic != NULL)
		statement_bind_text(&s, 2, topic->text);
	*id = 0;
	result = statement_end_value(&s, id);
	if (*id > range->upto)
		*id = 0;
	return result;
}

/* Set *id to the first row of a range, and *huge to the first of those rows
   that are the first of their topic and huge; each 0 if there is none. */
static enum log_result
find_first(struct log *log, const struct log_range *range, int64_t *id,
    int64_t *huge)
{
	const struct pattern *topics = NULL;
	enum log_result result = LOG_OK;
	size_t n = 0;

	if (range->filter != NULL && filter_is_exact(range->filter))
		topics = filter_patterns(range->filter, &n);
	*id = *huge = 0;
	for (size_t i = 0; result == LOG_OK && (i == 0 || i < n); i++) {
		int64_t found;
		size_t len = 0;

		result = first_of_topic(log, range, n > 0 ? &topics[i] : NULL,
		    &found);
		if (result != LOG_OK || found == 0)
			continue;
		if (*id == 0 || found < *id)
			*id = found;
		result = data_len(log, found, &len);
		if (len > LOG_HUGE_BYTES && (*huge == 0 || found < *huge))
			*huge = found;
	}
	return result;
}

enum log_result
log_huge_precede(struct log *log, const struct log_range *range, int64_t *upto)
{
	int64_t id, huge;
	enum log_result result = find_first(log, range, &id, &huge);

	*upto = huge > id ? huge - 1 : range->after;
	return result;
}

/* The row need not be huge: its topic, say, may be what is long. */
static enum log_result
read_row(struct log *log, int64_t id, log_row_fn *row, void *cookie,
    bool *is_taken)
{
	struct event e = { .id = id };
	enum log_result result = data_len(log, id, &e.huge_len);
	struct statement s;

	if (result != LOG_OK)
		return result;
	if (e.huge_len <= LOG_HUGE_BYTES)
		e.huge_len = 0;
	s = statement_begin(log,
	    "SELECT topic, event, retry_ms, CASE WHEN ?2 THEN NULL ELSE data"
	    " END FROM events WHERE id = ?1");
	statement_bind_integer(&s, 1, id);
	statement_bind_integer(&s, 2, e.huge_len > 0);
	if (statement_step(&s)) {
		e.topic = statement_text(&s, 0);
		e.name = statement_text(&s, 1);
		e.retry_ms = statement_retry_ms(&s, 2);
		e.data = statement_text(&s, 3);
		*is_taken = !statement_has_failed(&s) && row(cookie, &e);
	}
	return statement_end(&s);
}

enum log_result
log_huge_read(struct log *log, const struct log_range *range, log_row_fn *row,
    void *cookie, int64_t *reached)
{
	enum log_result result;
	bool is_taken = false;
	int64_t id, huge;

	result = find_first(log, range, &id, &huge);
	if (result == LOG_OK && id > 0)
		result = read_row(log, id, row, cookie, &is_taken);
	if (is_taken)
		*reached = id;
	else if (id == 0) /* there is none any more */
		*reached = range->upto;
	return result;
}
