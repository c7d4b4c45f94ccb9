/*
 * All streams, and where each stands.
 *
 * Only queued streams have something to do.  A round of the loop gives turns
 * until one has read from the log, or until enough was sent; then it polls.  So
 * the wait of a live stream or a new request does not depend on the number of
 * streams that are behind.
 */
#include "roster.h"

#include <assert.h>
#include <stdlib.h>

#include <utlist.h>

#include "lib/loop/timer.h"

#define ROUND_TURNS 64     /* a round ends after so many turns ... */
#define ROUND_BYTES 262144 /* ... or bytes, or one that reads the log */
#define FIRSTS_IN_A_ROW 16 /* first turns, before another stream has one */

struct roster {
	const struct source *source;
	struct feeds *feeds;
	void (*arrivals)(void *cookie);
	void *cookie;
	struct place *all;
	struct place *firsts; /* queued for their first turn */
	struct place *queue;
	struct place *stuck;
	uv_idle_t turns; /* runs while a stream is queued */
	size_t count;
	int in_a_row;     /* first turns given */
	bool has_arrived; /* a stream since the last call of arrivals() */
};

/* The next stream in turn; NULL if none is queued. */
static struct stream *
next(struct roster *r)
{
	if (r->firsts != NULL &&
	    (r->queue == NULL || r->in_a_row < FIRSTS_IN_A_ROW)) {
		r->in_a_row++;
		return r->firsts->stream;
	}
	r->in_a_row = 0;
	return r->queue != NULL ? r->queue->stream : NULL;
}

static void
on_turns(uv_idle_t *idle)
{
	struct roster *r = idle->data;
	uint64_t reads;
	size_t bytes = 0;

	if (r->has_arrived) {
		r->has_arrived = false;
		r->arrivals(r->cookie);
	}
	reads = source_reads(r->source);
	for (int i = 0; i < ROUND_TURNS && bytes < ROUND_BYTES &&
	     source_reads(r->source) == reads;
	     i++) {
		struct stream *s = next(r);

		if (s == NULL) {
			idle_stop(idle);
			return;
		}
		roster_settle(r, s, stream_turn(s, &bytes));
	}
}

static void
leave(struct roster *r, struct place *p)
{
	struct stream *moved;

	switch (p->standing) {
	case STANDING_LIVE:
		moved = feed_leave(stream_feed(p->stream), p->live_at);
		if (moved != NULL)
			stream_place(moved)->live_at = p->live_at;
		break;
	case STANDING_FIRST:
		DL_DELETE2(r->firsts, p, line.prev, line.next);
		break;
	case STANDING_QUEUED:
		DL_DELETE2(r->queue, p, line.prev, line.next);
		break;
	case STANDING_STUCK:
		DL_DELETE2(r->stuck, p, line.prev, line.next);
		break;
	case STANDING_NOWHERE:
	case STANDING_BLOCKED:
		break;
	}
}

static void
move(struct roster *r, struct place *p, enum standing standing)
{
	leave(r, p);
	/* out of memory: it tries again after the next look */
	if (standing == STANDING_LIVE &&
	    feed_join(stream_feed(p->stream), p->stream, &p->live_at) != 0)
		standing = STANDING_STUCK;
	p->standing = standing;
	if (standing == STANDING_STUCK)
		DL_APPEND2(r->stuck, p, line.prev, line.next);
	if (standing == STANDING_FIRST)
		DL_APPEND2(r->firsts, p, line.prev, line.next);
	if (standing == STANDING_QUEUED)
		DL_APPEND2(r->queue, p, line.prev, line.next);
	if (standing == STANDING_FIRST || standing == STANDING_QUEUED)
		idle_start(&r->turns, on_turns);
}

void
roster_queue(struct roster *r, struct stream *s)
{
	move(r, stream_place(s), STANDING_QUEUED);
}

void
roster_wake(struct roster *r, struct stream *s)
{
	struct place *p = stream_place(s);

	if (p->standing == STANDING_FIRST || p->standing == STANDING_QUEUED)
		return;
	if (p->standing == STANDING_LIVE)
		stream_pass(s, source_head(r->source));
	move(r, p, STANDING_QUEUED);
}

void
roster_remove(struct roster *r, struct stream *s)
{
	struct place *p = stream_place(s);

	move(r, p, STANDING_NOWHERE);
	DL_DELETE2(r->all, p, all.prev, all.next);
	r->count--;
	feed_release(r->feeds, stream_feed(s));
	stream_free(s);
}

void
roster_settle(struct roster *r, struct stream *s, enum stream_turn turn)
{
	struct place *p = stream_place(s);

	switch (turn) {
	case STREAM_CAUGHT_UP:
		if (p->standing != STANDING_LIVE)
			move(r, p, STANDING_LIVE);
		break;
	case STREAM_MORE:
		move(r, p, STANDING_QUEUED);
		break;
	case STREAM_FULL:
		move(r, p, STANDING_BLOCKED);
		break;
	case STREAM_TROUBLE:
		move(r, p, STANDING_STUCK);
		break;
	case STREAM_OVER:
		roster_remove(r, s);
		break;
	}
}

void
roster_add(struct roster *r, struct stream *s)
{
	struct place *p = stream_place(s);

	DL_APPEND2(r->all, p, all.prev, all.next);
	r->count++;
	r->has_arrived = true;
	move(r, p, STANDING_FIRST);
}

void
roster_retry(struct roster *r)
{
	while (r->stuck != NULL)
		move(r, r->stuck, STANDING_QUEUED);
}

void
roster_reset(struct roster *r, int64_t head)
{
	struct place *p;

	for (p = r->all; p != NULL; p = p->all.next) {
		stream_reset(p->stream, head);
		if (p->standing == STANDING_LIVE ||
		    p->standing == STANDING_STUCK)
			move(r, p, STANDING_QUEUED);
	}
}

void
roster_visit(struct roster *r, void (*visit)(void *cookie, struct stream *s),
    void *cookie)
{
	struct place *p, *next;

	for (p = r->all; p != NULL; p = next) {
		next = p->all.next;
		visit(cookie, p->stream);
	}
}

size_t
roster_count(const struct roster *r)
{
	return r->count;
}

struct roster *
roster_new(uv_loop_t *loop, const struct source *source, struct feeds *feeds,
    void (*arrivals)(void *cookie), void *cookie)
{
	struct roster *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->source = source;
	r->feeds = feeds;
	r->arrivals = arrivals;
	r->cookie = cookie;
	idle_init(&r->turns, loop, r);
	return r;
}

void
roster_free(struct roster *r)
{
	assert(r->count == 0);
	uv_close((uv_handle_t *)&r->turns, timer_free_data);
}
