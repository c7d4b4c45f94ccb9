/*
 * How large a log is, and what its rows hold besides.
 */
#include "admin.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"

#define MINUTE_MS 60000

enum log_result
log_origin(struct log *log, int64_t id, struct log_origin *o)
{
	sqlite3_stmt *s = log_statement(log, LOG_S_ORIGIN);
	enum log_result result = LOG_OK;
	struct text key;
	int rc;

	o->created_ms = 0;
	o->key = (struct text){ 0 };
	if (s == NULL || sqlite3_bind_int64(s, 1, id) != SQLITE_OK)
		return log_fail(log, sqlite3_errcode(log->db));
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		o->created_ms = sqlite3_column_int64(s, 0);
		if (sqlite3_column_type(s, 1) != SQLITE_NULL) {
			key = log_column(s, 1);
			/* no longer than that by the schema */
			o->key.len = key.len < sizeof(o->bytes) ?
			    key.len :
			    sizeof(o->bytes);
			memcpy(o->bytes, key.bytes, o->key.len);
			o->key.bytes = o->bytes;
		}
	} else if (rc != SQLITE_DONE) {
		result = log_fail(log, rc);
	}
	(void)sqlite3_reset(s); /* repeats the error that step gave */
	return result;
}

/* ---- numbers ---- */

/* Bytes of the file, or of the one beside it; 0 if it is not there. */
static int64_t
file_bytes(const struct log *log, const char *suffix)
{
	struct stat st;
	int64_t bytes = 0;
	char *path;

	if (asprintf(&path, "%s%s", log->path, suffix) < 0)
		return 0;
	if (stat(path, &st) == 0)
		bytes = st.st_size;
	free(path);
	return bytes;
}

static enum log_result
count_rows(struct log *log, struct log_stats *s)
{
	enum log_result r;

	if ((r = log_query(log, "SELECT count(*) FROM events", &s->rows)) !=
		LOG_OK ||
	    (r = log_query(log, "SELECT min(id) FROM events", &s->first)) !=
		LOG_OK ||
	    (r = log_query(log, "SELECT max(id) FROM events", &s->last)) !=
		LOG_OK ||
	    (r = log_query(log, "SELECT count(DISTINCT topic) FROM events",
		 &s->topics)) != LOG_OK ||
	    (r = log_query(log,
		 "SELECT sum(length(CAST(data AS BLOB))) FROM events",
		 &s->data_bytes)) != LOG_OK ||
	    (r = log_query(log, "SELECT removals FROM events_log",
		 &s->removed)) != LOG_OK)
		return r;
	return log_head(log, &s->head);
}

static enum log_result
read_settings(struct log *log, struct log_stats *s)
{
	enum log_result r;

	if ((r = log_query(log, "PRAGMA user_version", &s->format)) != LOG_OK ||
	    (r = log_query(log, "PRAGMA page_size", &s->page_bytes)) !=
		LOG_OK ||
	    (r = log_query(log, "PRAGMA auto_vacuum", &s->auto_vacuum)) !=
		LOG_OK)
		return r;
	(void)snprintf(s->sqlite, sizeof(s->sqlite), "%s",
	    sqlite3_libversion());
	s->file_bytes = file_bytes(log, "");
	s->wal_bytes = file_bytes(log, "-wal");
	return LOG_OK;
}

/* Ids grow with time, so the last hour is at the end of the log. */
static enum log_result
count_minutes(struct log *log, int64_t now_ms, struct log_stats *stats)
{
	int64_t begin = now_ms - (int64_t)LOG_STATS_MINUTES * MINUTE_MS;
	enum log_result result;
	sqlite3_stmt *s = NULL;
	int64_t after = 0;
	int rc;

	if ((result = log_before_time(log, begin, &after)) != LOG_OK)
		return result;
	rc = sqlite3_prepare_v2(log->db,
	    "SELECT (created_ms - ?1) / ?2, count(*) FROM events WHERE id > ?3"
	    " AND created_ms >= ?1 AND created_ms < ?1 + ?2 * ?4 GROUP BY 1",
	    -1, &s, NULL);
	if (rc == SQLITE_OK &&
	    (rc = sqlite3_bind_int64(s, 1, begin)) == SQLITE_OK &&
	    (rc = sqlite3_bind_int64(s, 2, MINUTE_MS)) == SQLITE_OK &&
	    (rc = sqlite3_bind_int64(s, 3, after)) == SQLITE_OK &&
	    (rc = sqlite3_bind_int64(s, 4, LOG_STATS_MINUTES)) == SQLITE_OK)
		while ((rc = sqlite3_step(s)) == SQLITE_ROW)
			stats->minutes[sqlite3_column_int64(s, 0)] =
			    sqlite3_column_int64(s, 1);
	if (rc != SQLITE_DONE)
		result = log_fail(log, rc);
	(void)sqlite3_finalize(s); /* repeats the error that step gave */
	return result;
}

enum log_result
log_count(struct log *log, int64_t now_ms, struct log_stats *stats)
{
	enum log_result r;

	*stats = (struct log_stats){ 0 };
	if ((r = log_begin(log)) != LOG_OK)
		return r;
	if ((r = count_rows(log, stats)) == LOG_OK &&
	    (r = read_settings(log, stats)) == LOG_OK)
		r = count_minutes(log, now_ms, stats);
	log_end(log);
	return r;
}

enum log_result
log_largest_topics(struct log *log, int max, log_topic_fn *topic, void *cookie)
{
	enum log_result result = LOG_OK;
	sqlite3_stmt *s = NULL;
	int rc;

	rc = sqlite3_prepare_v2(log->db,
	    "SELECT topic, count(*) FROM events GROUP BY topic"
	    " ORDER BY 2 DESC, 1 LIMIT ?1",
	    -1, &s, NULL);
	if (rc == SQLITE_OK && (rc = sqlite3_bind_int(s, 1, max)) == SQLITE_OK)
		while ((rc = sqlite3_step(s)) == SQLITE_ROW)
			topic(cookie, log_column(s, 0),
			    sqlite3_column_int64(s, 1));
	if (rc != SQLITE_DONE)
		result = log_fail(log, rc);
	(void)sqlite3_finalize(s); /* repeats the error that step gave */
	return result;
}
