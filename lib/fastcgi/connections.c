/*
 * All connections of a process.
 */
#include <stdlib.h>

#include "connection_private.h"

#define LINGER_MS 1000 /* for the body of an answered request to end */

static struct connection *
connection_of(struct deadline *d)
{
	return (struct connection *)((char *)d -
	    offsetof(struct connection, deadline));
}

static void
on_deadline(struct deadline *d)
{
	struct connection *c = connection_of(d);

	if (c->state == CONNECTION_ANSWERING)
		c->owner->handler->late(c->user);
	else
		connection_close(c);
}

struct connections *
connections_new(uv_loop_t *loop, const struct connection_handler *handler,
    void *cookie, int64_t request_timeout_ms)
{
	struct connections *cs = calloc(1, sizeof(*cs));

	if (cs == NULL)
		return NULL;
	cs->loop = loop;
	cs->handler = handler;
	cs->cookie = cookie;
	cs->on_poll = connection_on_poll;
	if (handler->body != NULL &&
	    (cs->scratch = malloc(CONNECTION_SCRATCH_BYTES)) == NULL) {
		free(cs);
		return NULL;
	}
	deadlines_init(&cs->deadlines, loop, request_timeout_ms, on_deadline);
	deadlines_init(&cs->lingering, loop, LINGER_MS, on_deadline);
	return cs;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct connections *cs = handle->data;

	if (--cs->n_timers > 0)
		return;
	libfcgi_pair_close(&cs->pair);
	free(cs->scratch);
	free(cs);
}

static void
close_timer(struct connections *cs, uv_timer_t *timer)
{
	cs->n_timers++;
	timer->data = cs;
	uv_close((uv_handle_t *)timer, on_timer_closed);
}

void
connections_free(struct connections *cs)
{
	if (cs == NULL)
		return;
	connections_close_idle(cs);
	while (cs->deadlines.all != NULL)
		connection_close(connection_of(cs->deadlines.all));
	while (cs->lingering.all != NULL)
		connection_close(connection_of(cs->lingering.all));
	while (cs->count > 0)
		(void)uv_run(cs->loop, UV_RUN_NOWAIT);
	close_timer(cs, &cs->deadlines.timer);
	close_timer(cs, &cs->lingering.timer);
}

size_t
connections_count(const struct connections *cs)
{
	return cs->count;
}

void
connections_on_freed(struct connections *cs, void (*freed)(void *cookie),
    void *cookie)
{
	cs->freed = freed;
	cs->freed_cookie = cookie;
}

void
connections_close_idle(struct connections *cs)
{
	cs->is_closing = true;
	while (cs->idle != NULL)
		connection_close(cs->idle);
}
