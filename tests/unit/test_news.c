/*
 * news: one step through the log, from its rows to runs of a tail.
 */
#include "logs.h"

#include "fcgi/news.h"
#include "lib/fastcgi/records.h"

static struct news news;
static int64_t head;
static uint64_t rows;

static enum news_result
step(struct log *log, struct tail *t)
{
	return news_read(&news, log, t, &head, &rows);
}

static struct tail *
new_tail(int64_t at)
{
	struct tail *t = tail_new(1 << 20, at);

	if (t == NULL)
		abort();
	return t;
}

/* Are the events of the runs these, one after the other? */
static bool
has_events(int64_t first, int64_t last)
{
	int64_t id = first;

	for (size_t i = 0; i < news.n_runs; i++)
		for (size_t at = news.runs[i].from; at < news.runs[i].to; at++)
			if (news.runs[i].chunk->entries[at].id != id++)
				return false;
	return id == last + 1;
}

static void
append_rows(int n, int len)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < %d) INSERT INTO events(topic, data)"
	    " SELECT 't' || i, printf('%%.*c', %d, 'x') FROM n;",
	    n, len);
	sql(text);
}

static void
check_runs(void)
{
	struct log *log = new_log();
	struct tail *t = new_tail(0);
	int64_t last;

	check(step(log, t) == NEWS_END && news.n_runs == 0 &&
		news.n_removed == 0 && news.last == 0,
	    "an empty log has no news");
	append_rows(3, 1000);
	check(step(log, t) == NEWS_END && news.n_runs == 1 &&
		has_events(1, 3) && news.last == 3 && rows == 3,
	    "new rows are one run");
	append_rows(20, 3500);
	check(step(log, t) == NEWS_MORE && news.n_runs == 2 &&
		has_events(4, news.last) && news.last < 23 &&
		tail_head(t) == news.last,
	    "a step takes one record, in two chunks if need be");
	last = news.last;
	check(step(log, t) == NEWS_END && has_events(last + 1, 23),
	    "and the next one the rest");
	check(step(log, t) == NEWS_END && news.n_runs == 0 && news.last == 23,
	    "then there are none");
	append_rows(1, RECORDS_CONTENT_MAX);
	append_rows(1, 1);
	check(step(log, t) == NEWS_MORE && news.n_runs == 1 &&
		has_events(24, 24),
	    "one that is larger than a record is a step of its own");
	check(step(log, t) == NEWS_END && has_events(25, 25), "and goes on");
	tail_free(t);
	log_close(log);
}

static void
check_rows_of_step(void)
{
	struct log *log = new_log();
	struct tail *t = new_tail(0);

	append_rows(LOG_PAGE_ROWS + 1, 1);
	check(step(log, t) == NEWS_MORE && has_events(1, LOG_PAGE_ROWS),
	    "a step takes one page of small rows");
	check(step(log, t) == NEWS_END &&
		has_events(LOG_PAGE_ROWS + 1, LOG_PAGE_ROWS + 1),
	    "and the next one the rest");
	tail_free(t);
	log_close(log);
}

static void
check_removed(void)
{
	struct log *log = new_log();
	struct tail *t = new_tail(0);

	append_rows(4, 1);
	sql("DELETE FROM events WHERE id IN (2, 4);");
	check(step(log, t) == NEWS_END && news.n_removed == 2 &&
		text_is(news.removed[0], "t4") &&
		text_is(news.removed[1], "t2") && news.holes == 4 &&
		tail_head(t) == 4 && news.last == 3,
	    "topics of rows that were removed unread");
	append_rows(NEWS_REMOVED_MAX, 1);
	sql("DELETE FROM events WHERE id > 4;");
	check(step(log, t) == NEWS_END && news.n_removed == NEWS_REMOVED_MAX &&
		news.removed[0].bytes != NULL,
	    "as many as there is room for");
	append_rows(NEWS_REMOVED_MAX + 1, 1);
	sql("DELETE FROM events WHERE id > 4;");
	check(step(log, t) == NEWS_END && news.n_removed == 1 &&
		news.removed[0].bytes == NULL &&
		news.holes == 4 + 2 * NEWS_REMOVED_MAX + 1,
	    "more than that is any topic");
	tail_free(t);
	log_close(log);
}

static void
check_back(void)
{
	struct log *log = new_log();
	struct tail *t = new_tail(7);

	append_rows(3, 1);
	check(step(log, t) == NEWS_BACK && head == 3 && tail_head(t) == 7,
	    "a log that ends before the tail was set back");
	sql("DROP TABLE events;");
	check(step(log, t) == NEWS_TROUBLE && tail_head(t) == 7,
	    "one that cannot be read leaves the tail as it was");
	tail_free(t);
	log_close(log);
}

/* Rows that are in the tail already when a step fails must be read again. */
static void
check_trouble_behind_rows(void)
{
	struct log *log = new_log();
	struct tail *t = new_tail(0);

	append_rows(3, 1);
	sql("DELETE FROM events WHERE id = 2;"
	    " ALTER TABLE events_removed RENAME TO gone;");
	check(step(log, t) == NEWS_TROUBLE && tail_head(t) == 0,
	    "removed topics that cannot be read leave the tail as it was");
	sql("ALTER TABLE gone RENAME TO events_removed;");
	check(step(log, t) == NEWS_END && news.n_runs == 1 &&
		news.runs[0].to - news.runs[0].from == 2 && news.last == 3 &&
		news.holes == 2,
	    "then the rows come, and the one between them was removed");
	tail_free(t);
	log_close(log);
}

int
main(void)
{
	if (!begin())
		return 0;
	check_runs();
	check_rows_of_step();
	check_removed();
	check_back();
	check_trouble_behind_rows();
	return end();
}
