/*
 * All streams, and where each stands.
 *
 * Only those in the queue have something to do; turns are given while the loop
 * is idle, one at each round, so that new events and new clients come first.
 */
#include "roster.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/loop/idle.h"

TAILQ_HEAD(stream_list, stream);

struct roster {
	struct feeds *feeds;
	struct source *source;
	struct stream_list all;
	struct stream_list queue;
	struct stream_list stuck;
	uv_idle_t turns; /* runs while somebody is queued */
	size_t count;
};

static void
on_turns(uv_idle_t *idle)
{
	struct roster *r = idle->data;
	struct stream *s = TAILQ_FIRST(&r->queue);

	if (s == NULL)
		idle_stop(idle);
	else
		roster_settle(r, s, stream_turn(s));
}

static void
leave_place(struct roster *r, struct stream *s)
{
	struct stream *moved;

	switch (s->place) {
	case STREAM_LIVE:
		moved = feed_leave(s->feed, s->live_at);
		if (moved != NULL)
			moved->live_at = s->live_at;
		break;
	case STREAM_QUEUED:
		TAILQ_REMOVE(&r->queue, s, line);
		break;
	case STREAM_STUCK:
		TAILQ_REMOVE(&r->stuck, s, line);
		break;
	case STREAM_NOWHERE:
	case STREAM_BLOCKED:
		break;
	}
	s->place = STREAM_NOWHERE;
}

void
roster_queue(struct roster *r, struct stream *s)
{
	leave_place(r, s);
	s->place = STREAM_QUEUED;
	TAILQ_INSERT_TAIL(&r->queue, s, line);
	idle_start(&r->turns, on_turns);
}

void
roster_remove(struct roster *r, struct stream *s)
{
	leave_place(r, s);
	TAILQ_REMOVE(&r->all, s, all);
	r->count--;
	feed_release(r->feeds, s->feed);
	stream_free(s);
}

/* Until the next look: what is missing is not there sooner. */
static void
wait_for_look(struct roster *r, struct stream *s)
{
	s->place = STREAM_STUCK;
	TAILQ_INSERT_TAIL(&r->stuck, s, line);
}

void
roster_settle(struct roster *r, struct stream *s, enum stream_turn turn)
{
	if (turn == STREAM_CAUGHT_UP && s->place == STREAM_LIVE)
		return;
	leave_place(r, s);
	switch (turn) {
	case STREAM_CAUGHT_UP:
		if (feed_join(s->feed, s, &s->live_at) == 0)
			s->place = STREAM_LIVE;
		else
			wait_for_look(r, s); /* for memory */
		break;
	case STREAM_MORE:
		roster_queue(r, s);
		break;
	case STREAM_FULL:
		s->place = STREAM_BLOCKED;
		break;
	case STREAM_TROUBLE:
		wait_for_look(r, s);
		break;
	case STREAM_OVER:
		roster_remove(r, s);
		break;
	}
}

void
roster_turn(struct roster *r, struct stream *s)
{
	if (s->place == STREAM_LIVE) /* has been sent all there is */
		s->cursor = source_head(r->source);
	roster_settle(r, s, stream_turn(s));
}

void
roster_add(struct roster *r, struct stream *s)
{
	s->place = STREAM_NOWHERE;
	TAILQ_INSERT_TAIL(&r->all, s, all);
	r->count++;
}

void
roster_retry(struct roster *r)
{
	struct stream *s;

	while ((s = TAILQ_FIRST(&r->stuck)) != NULL)
		roster_queue(r, s);
}

void
roster_visit(struct roster *r, void (*visit)(void *cookie, struct stream *s),
    void *cookie)
{
	struct stream *s, *next;

	for (s = TAILQ_FIRST(&r->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, all);
		visit(cookie, s);
	}
}

size_t
roster_count(const struct roster *r)
{
	return r->count;
}

struct roster *
roster_new(uv_loop_t *loop, struct feeds *feeds, struct source *source)
{
	struct roster *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->feeds = feeds;
	r->source = source;
	TAILQ_INIT(&r->all);
	TAILQ_INIT(&r->queue);
	TAILQ_INIT(&r->stuck);
	idle_init(&r->turns, loop, r);
	return r;
}

static void
on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
roster_free(struct roster *r)
{
	assert(r->count == 0);
	uv_close((uv_handle_t *)&r->turns, on_closed);
}
