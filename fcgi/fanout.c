/*
 * From new rows to streams.
 *
 * A new event is read once, encoded once, and gathered by the feeds it matches;
 * each live stream of such a feed then gets one send with all that came.  A
 * stream whose socket is full, or that is behind, leaves the live ones and goes
 * on by itself from the source, a turn at a time, until it has caught up.
 */
#include "fanout.h"

#include <stdlib.h>

#include "lib/fastcgi/records.h"
#include "lib/loop/timer.h"

#define LOOK_STEPS 8 /* records read at once when the log has grown */

_Static_assert(LOG_PAGE_ROWS + 1 <= CONNECTION_PIECES_MAX,
    "the rows of one step and a record header go out with one send");

struct fanout {
	struct source *source;
	struct feeds *feeds;
	struct roster *roster;
	uv_idle_t growing; /* runs while there is more to read from the log */
	struct fanout_counters counters;
};

/* Let the feeds gather what a step has found. */
static void
offer(struct fanout *f, const struct news *news)
{
	for (size_t i = 0; i < news->n_runs; i++) {
		const struct news_run *run = &news->runs[i];

		for (size_t at = run->from; at < run->to; at++)
			feeds_offer(f->feeds, run->chunk, at);
		f->counters.events += run->to - run->from;
	}
	f->counters.events += news->n_huge;
	for (size_t i = 0; i < news->n_removed; i++)
		feeds_make_stale(f->feeds, news->removed[i]);
}

static void
fall_behind(struct fanout *f, struct stream *s, int64_t cursor)
{
	stream_rewind(s, cursor);
	f->counters.behind++;
	roster_queue(f->roster, s);
}

static void
deliver(struct fanout *f, struct stream *s, struct feed *feed, int64_t before)
{
	enum stream_turn turn = stream_deliver(s, feed->pieces,
	    (int)feed->n_pieces, feed->len, before, feed->last);

	f->counters.sends++;
	if (turn == STREAM_FULL)
		f->counters.behind++;
	roster_settle(f->roster, s, turn);
}

/* Send what a feed has gathered to each of its live streams. */
static void
drain(struct fanout *f, struct feed *feed, int64_t before)
{
	bool is_sendable = !feed->is_stale && feed->len <= RECORDS_CONTENT_MAX;

	feed_hold(feed); /* its last stream may go */
	/* backwards: the last stream takes the place of one that leaves */
	for (size_t i = feed->n_live; i-- > 0;)
		if (is_sendable)
			deliver(f, feed->live[i], feed, before);
		else
			fall_behind(f, feed->live[i], before);
	feed_clear(feed);
	feed_release(f->feeds, feed);
}

/* One step; false when the end of the log is reached. */
static bool
step(struct fanout *f)
{
	const struct news *news;
	int64_t before = source_head(f->source);
	enum source_result result = source_step(f->source, &news);
	struct feed *feed;

	if (result == SOURCE_RESET)
		roster_reset(f->roster, source_head(f->source));
	if (result == SOURCE_OK || result == SOURCE_END)
		offer(f, news);
	while ((feed = feeds_next_dirty(f->feeds)) != NULL)
		drain(f, feed, before);
	return result == SOURCE_OK || result == SOURCE_RESET;
}

static void on_growing(uv_idle_t *idle);

/*
 * Take some steps now, the rest between other work of the loop: a transaction
 * of a million rows must not hold up the other streams.
 */
static void
grow(struct fanout *f, int steps)
{
	bool is_more = true;

	for (int i = 0; i < steps && is_more; i++)
		is_more = step(f);
	if (is_more)
		idle_start(&f->growing, on_growing);
	else
		idle_stop(&f->growing);
}

static void
on_growing(uv_idle_t *idle)
{
	grow(idle->data, 1);
}

bool
fanout_look(struct fanout *f)
{
	int64_t before = source_head(f->source);

	grow(f, LOOK_STEPS);
	return source_head(f->source) != before;
}

const struct fanout_counters *
fanout_counters(const struct fanout *f)
{
	return &f->counters;
}

struct fanout *
fanout_new(uv_loop_t *loop, struct source *source, struct feeds *feeds,
    struct roster *roster)
{
	struct fanout *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->source = source;
	f->feeds = feeds;
	f->roster = roster;
	idle_init(&f->growing, loop, f);
	return f;
}

void
fanout_free(struct fanout *f)
{
	if (f != NULL)
		uv_close((uv_handle_t *)&f->growing, timer_free_data);
}
