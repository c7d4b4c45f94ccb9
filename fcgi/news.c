/*
 * One step through the log: new rows are encoded into the tail, where feeds
 * find them once the read transaction has ended.
 */
#include "news.h"

#include <assert.h>
#include <string.h>

#include "lib/fastcgi/records.h"
#include "lib/sse.h"

_Static_assert(CHUNK_BYTES >= RECORDS_CONTENT_MAX,
    "the events of one record lie in two chunks at most");

struct step {
	struct news *news;
	struct tail *tail;
	size_t len;
	size_t rows;
	bool has_hole; /* ids are not consecutive */
	bool has_no_memory;
};

void
news_clear(struct news *n)
{
	n->n_runs = n->n_removed = n->n_huge = 0;
	n->holes = n->last = 0;
}

static void
add_last_of(struct news *n, const struct chunk *c)
{
	if (n->n_runs == 0 || n->runs[n->n_runs - 1].chunk != c) {
		assert(n->n_runs < NEWS_RUNS_MAX);
		n->runs[n->n_runs++] = (struct news_run){ c, c->n - 1, c->n };
	} else {
		n->runs[n->n_runs - 1].to = c->n;
	}
}

/* Note that streams which let a topic pass must read the log. */
static bool
add_removed(struct news *n, struct text topic)
{
	if (topic.bytes == NULL || topic.len > EVENT_NAME_MAX ||
	    n->n_removed == NEWS_REMOVED_MAX) {
		n->removed[0] = (struct text){ NULL, 0 };
		n->n_removed = 1;
		return false;
	}
	memcpy(n->texts[n->n_removed], topic.bytes, topic.len);
	n->removed[n->n_removed] =
	    (struct text){ n->texts[n->n_removed], topic.len };
	n->n_removed++;
	return true;
}

static bool
on_huge(struct step *step, const struct event *e)
{
	if (step->len > 0) /* it comes alone, next time */
		return false;
	if (e->id != step->news->last + 1)
		step->has_hole = true;
	step->news->last = e->id;
	step->news->n_huge = 1;
	tail_clear(step->tail, e->id);
	(void)add_removed(step->news, e->topic); /* or all topics */
	return false;
}

static bool
on_row(void *cookie, const struct event *e)
{
	struct step *step = cookie;
	const struct chunk *c;
	size_t len;

	step->rows++;
	if (e->huge_len > 0)
		return on_huge(step, e);
	len = sse_len(e);
	if (step->len > 0 && sse_add_len(step->len, len) > RECORDS_CONTENT_MAX)
		return false;
	c = tail_add(step->tail, e, len);
	if (c == NULL) {
		step->has_no_memory = true;
		return false;
	}
	step->len += len;
	if (e->id != step->news->last + 1)
		step->has_hole = true;
	step->news->last = e->id;
	add_last_of(step->news, c);
	return true;
}

static bool
on_removed(void *cookie, const struct event *e)
{
	struct news *n = cookie;

	if (e->id > n->holes)
		n->holes = e->id;
	return add_removed(n, e->topic); /* the highest id has come first */
}

/*
 * There were no more rows.  The log may have gone back, or its last rows may
 * have been removed unread.
 */
static enum news_result
check_head(struct step *step, struct log *log, int64_t *head)
{
	if (log_head(log, head) != LOG_OK)
		return NEWS_TROUBLE;
	if (*head < step->news->last)
		return NEWS_BACK;
	if (*head > step->news->last) {
		step->has_hole = true;
		tail_reach(step->tail, *head);
	}
	return NEWS_END;
}

static enum news_result
read_rows(struct step *step, struct log *log, int64_t *head)
{
	int64_t before = step->news->last, reached;
	struct log_range range = { .after = before,
		.upto = INT64_MAX,
		.max_rows = LOG_PAGE_ROWS };
	enum news_result result = NEWS_MORE;

	if (log_read(log, &range, on_row, step, &reached) != LOG_OK)
		return NEWS_TROUBLE;
	if (step->has_no_memory)
		return NEWS_NO_MEMORY;
	if (reached == INT64_MAX)
		result = check_head(step, log, head);
	if ((result == NEWS_MORE || result == NEWS_END) && step->has_hole &&
	    log_removed(log, before, on_removed, step->news) != LOG_OK)
		return NEWS_TROUBLE;
	return result;
}

enum news_result
news_read(struct news *n, struct log *log, struct tail *tail, int64_t *head,
    uint64_t *rows)
{
	int64_t before = tail_head(tail);
	struct step step = { .news = n, .tail = tail };
	enum news_result result;

	news_clear(n);
	n->last = before;
	result = read_rows(&step, log, head);
	*rows += step.rows;
	if (result != NEWS_MORE && result != NEWS_END)
		tail_cut(tail, before);
	return result;
}
