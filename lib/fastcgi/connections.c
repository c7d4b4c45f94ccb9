/*
 * All connections of a process.
 *
 * Those that are not answering have a deadline.  It is the same for all, so
 * they wait in the order in which they came, and one timer watches the first.
 */
#include <stdlib.h>

#include "lib/loop/timer.h"
#include "connection_private.h"

int64_t
connections_now_ms(const struct connections *cs)
{
	return (int64_t)uv_now(cs->loop);
}

static void on_deadline(uv_timer_t *timer);

static void
arm(struct connections *cs)
{
	struct connection *first = TAILQ_FIRST(&cs->waiting);
	int64_t left;

	if (first == NULL) {
		timer_stop(&cs->timer);
		return;
	}
	left = first->deadline_ms - connections_now_ms(cs);
	timer_start(&cs->timer, on_deadline, left > 0 ? left : 0);
}

void
connections_unlist(struct connection *c)
{
	if (c->list != NULL)
		TAILQ_REMOVE(c->list, c, link);
	c->list = NULL;
}

void
connections_enlist(struct connection *c, struct connection_list *list)
{
	connections_unlist(c);
	TAILQ_INSERT_TAIL(list, c, link);
	c->list = list;
}

void
connections_wait(struct connection *c)
{
	struct connections *cs = c->owner;
	bool was_empty = TAILQ_EMPTY(&cs->waiting);

	c->deadline_ms = connections_now_ms(cs) + cs->timeout_ms;
	connections_enlist(c, &cs->waiting);
	if (was_empty)
		arm(cs);
}

static void
on_deadline(uv_timer_t *timer)
{
	struct connections *cs = timer->data;
	struct connection *c;

	while ((c = TAILQ_FIRST(&cs->waiting)) != NULL &&
	    c->deadline_ms <= connections_now_ms(cs)) {
		if (c->state == CONNECTION_ANSWERING) {
			connections_unlist(c);
			cs->handler->late(c->user);
		} else {
			connection_close(c);
		}
	}
	arm(cs);
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
	cs->timeout_ms = request_timeout_ms;
	if (handler->body != NULL &&
	    (cs->bytes = malloc(INPUT_BYTES)) == NULL) {
		free(cs);
		return NULL;
	}
	TAILQ_INIT(&cs->waiting);
	TAILQ_INIT(&cs->idle);
	timer_init(&cs->timer, loop, cs);
	return cs;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct connections *cs = handle->data;

	libfcgi_pair_close(&cs->pair);
	free(cs->bytes);
	free(cs);
}

void
connections_free(struct connections *cs)
{
	struct connection *c;

	if (cs == NULL)
		return;
	connections_close_idle(cs);
	while ((c = TAILQ_FIRST(&cs->waiting)) != NULL)
		connection_close(c);
	while (cs->count > 0)
		(void)uv_run(cs->loop, UV_RUN_NOWAIT);
	uv_close((uv_handle_t *)&cs->timer, on_timer_closed);
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
	struct connection *c;

	cs->is_closing = true;
	while ((c = TAILQ_FIRST(&cs->idle)) != NULL)
		connection_close(c);
}
