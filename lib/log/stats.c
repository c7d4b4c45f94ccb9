/*
 * Statistics of a log.
 */
#include "admin.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>

#include "statement.h"

#define MINUTE_MS 60000

/* Returns the size of a file of the log; 0 if it does not exist. */
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
	const struct log_query queries[] = {
		{ "SELECT count(*) FROM events", &s->rows },
		{ "SELECT min(id) FROM events", &s->first },
		{ "SELECT max(id) FROM events", &s->last },
		{ "SELECT count(DISTINCT topic) FROM events", &s->topics },
		{ "SELECT sum(length(CAST(data AS BLOB))) FROM events",
		    &s->data_bytes },
		{ "SELECT removals FROM events_log", &s->removed },
		{ "PRAGMA user_version", &s->format },
		{ "PRAGMA page_size", &s->page_bytes },
		{ "PRAGMA auto_vacuum", &s->auto_vacuum },
	};
	enum log_result result =
	    log_query_all(log, queries, sizeof(queries) / sizeof(queries[0]));

	(void)snprintf(s->sqlite, sizeof(s->sqlite), "%s",
	    sqlite3_libversion());
	s->file_bytes = file_bytes(log, "");
	s->wal_bytes = file_bytes(log, "-wal");
	return result == LOG_OK ? log_head(log, &s->head) : result;
}

/* created_ms grows with id, so the last hour is at the end of the log. */
static enum log_result
count_minutes(struct log *log, int64_t now_ms, struct log_stats *stats)
{
	int64_t begin = now_ms - (int64_t)LOG_STATS_MINUTES * MINUTE_MS;
	enum log_result result;
	struct statement s;
	int64_t after = 0;

	if ((result = log_before_time(log, begin, &after)) != LOG_OK)
		return result;
	s = statement_prepare(log,
	    "SELECT (created_ms - ?1) / ?2, count(*) FROM events WHERE id > ?3"
	    " AND created_ms >= ?1 AND created_ms < ?1 + ?2 * ?4 GROUP BY 1");
	statement_bind_integer(&s, 1, begin);
	statement_bind_integer(&s, 2, MINUTE_MS);
	statement_bind_integer(&s, 3, after);
	statement_bind_integer(&s, 4, LOG_STATS_MINUTES);
	while (statement_step(&s))
		stats->minutes[statement_integer(&s, 0)] =
		    statement_integer(&s, 1);
	return statement_end(&s);
}

enum log_result
log_count(struct log *log, int64_t now_ms, struct log_stats *stats)
{
	enum log_result r;

	*stats = (struct log_stats){ 0 };
	if ((r = log_begin(log)) != LOG_OK)
		return r;
	if ((r = count_rows(log, stats)) == LOG_OK)
		r = count_minutes(log, now_ms, stats);
	log_end(log);
	return r;
}

enum log_result
log_largest_topics(struct log *log, int max, log_topic_fn *topic, void *cookie)
{
	struct statement s = statement_prepare(log,
	    "SELECT topic, count(*) FROM events GROUP BY topic"
	    " ORDER BY 2 DESC, 1 LIMIT ?1");

	statement_bind_integer(&s, 1, max);
	while (statement_step(&s)) {
		struct text t = statement_text(&s, 0);

		if (!statement_has_failed(&s))
			topic(cookie, t, statement_integer(&s, 1));
	}
	return statement_end(&s);
}
