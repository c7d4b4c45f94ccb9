/*
 * The requests of a publisher that serves many.
 *
 * What comes in while a transaction is written to the disk is in the next one,
 * so that the wait for the disk is shared by all who are there.  Locks are not
 * waited for: while others are writing, it goes on reading and tries again.
 */
#include <assert.h>
#include <stdlib.h>

#include "lib/loop/idle.h"
#include "lib/loop/timer.h"
#include "lib/warn.h"
#include "server_private.h"

#define GROUP_MAX 512 /* requests in one transaction */
#define HOLD_MAX_NS 50000000L
#define AGAIN_MS 2       /* between tries while others are writing */
#define PATIENCE_MS 1000 /* for the end of a refused body */

static void
stop_waiting(struct client *c)
{
	TAILQ_REMOVE(&c->server->waiting, c, link);
	c->server->n_waiting--;
	c->is_waiting = false;
}

void
client_free(struct client *c)
{
	if (c->is_waiting)
		stop_waiting(c);
	if (c->is_refused)
		TAILQ_REMOVE(&c->server->refused, c, link);
	TAILQ_REMOVE(&c->server->all, c, all);
	publish_free(c->publish);
	free(c);
}

static void
answer(struct client *c)
{
	size_t len;
	const char *text = publish_answer(c->publish, &len);

	if (text == NULL || connection_answer(c->connection, text, len) != 0) {
		warn_line("answer: out of memory");
		connection_abort(c->connection);
	}
	client_free(c);
}

static void
wait_for_group(struct client *c)
{
	struct server *s = c->server;

	c->is_waiting = true;
	s->n_waiting++;
	c->since_ms = (int64_t)uv_now(s->loop);
	TAILQ_INSERT_TAIL(&s->waiting, c, link);
}

static void
on_patience(uv_timer_t *timer)
{
	struct server *s = timer->data;
	int64_t now = (int64_t)uv_now(s->loop);
	struct client *c;

	while ((c = TAILQ_FIRST(&s->refused)) != NULL &&
	    now - c->since_ms >= PATIENCE_MS) {
		publish_stop(c->publish, 400, "");
		answer(c);
	}
	if (c == NULL)
		timer_stop(timer);
}

/*
 * Web servers may drop an answer that comes while they are sending; but a body
 * may be one without end, and who sends it is to know.
 */
static void
wait_for_end(struct client *c)
{
	struct server *s = c->server;

	if (c->is_refused)
		return;
	c->is_refused = true;
	c->since_ms = (int64_t)uv_now(s->loop);
	TAILQ_INSERT_TAIL(&s->refused, c, link);
	if (!timer_is_running(&s->patience)) /* again, it would never expire */
		timer_repeat(&s->patience, on_patience, PATIENCE_MS / 10);
}

/* Do what the request wants after something has come. */
static void
after_input(struct client *c)
{
	switch (publish_want(c->publish)) {
	case PUBLISH_INPUT:
		if (publish_is_refused(c->publish))
			wait_for_end(c);
		break;
	case PUBLISH_APPEND:
		connection_pause(c->connection);
		wait_for_group(c);
		break;
	case PUBLISH_ANSWER:
		answer(c);
		break;
	}
}

static void
on_body(void *user, struct text bytes)
{
	struct client *c = user;

	if (bytes.bytes != NULL)
		publish_take(c->publish, bytes.bytes, bytes.len);
	else
		publish_over(c->publish);
	after_input(c);
}

static void
on_late(void *user)
{
	struct client *c = user;

	publish_stop(c->publish, 408,
	    "Nothing of the body has come for a while.");
	answer(c);
}

static void
on_gone(void *user)
{
	client_free(user);
}

static void
on_request(void *cookie, struct connection *connection, const char *const *vars)
{
	struct server *s = cookie;
	struct client *c = calloc(1, sizeof(*c));

	s->counters.requests++;
	if (c != NULL)
		c->publish = publish_new(s->config, s->json, vars, true);
	if (c == NULL || c->publish == NULL) {
		warn_line("main: out of memory for a request");
		free(c);
		connection_abort(connection);
		return;
	}
	c->server = s;
	c->connection = connection;
	TAILQ_INSERT_TAIL(&s->all, c, all);
	connection_set_user(connection, c);
	if (publish_is_refused(c->publish))
		wait_for_end(c); /* its body may never begin */
}

const struct connection_handler client_handler = {
	.request = on_request,
	.gone = on_gone,
	.body = on_body,
	.late = on_late,
};

/* ---- groups ---- */

static void
tell_restart(struct client *c)
{
	publish_stop(c->publish, 503,
	    "The publisher is being restarted.  Send the rest again.");
	answer(c);
}

/* It was appended, or refused. */
static void
after_append(struct client *c)
{
	if (publish_want(c->publish) == PUBLISH_APPEND)
		return; /* others write: it waits on */
	stop_waiting(c);
	c->server->counters.appended++;
	if (publish_want(c->publish) != PUBLISH_INPUT) {
		after_input(c);
	} else if (c->server->is_ending) {
		tell_restart(c);
	} else {
		if (publish_is_refused(c->publish))
			wait_for_end(c);
		connection_resume(c->connection);
	}
}

/* Those who have waited too long for others to end their writing. */
static void
give_up(struct server *s)
{
	int64_t now = (int64_t)uv_now(s->loop);
	struct client *c;

	while ((c = TAILQ_FIRST(&s->waiting)) != NULL &&
	    now - c->since_ms >= s->config->busy_ms) {
		commit_busy(s->commit, c->publish);
		after_append(c);
	}
}

static void
on_more(uv_idle_t *idle)
{
	(void)idle; /* that it runs is what it is for */
}

static void
on_again(uv_timer_t *timer)
{
	struct server *s = timer->data;

	give_up(s);
	if (s->n_waiting > 0)
		idle_start(&s->more, on_more);
}

static void
append_group(struct server *s)
{
	struct publish *requests[GROUP_MAX] = { 0 };
	struct client *clients[GROUP_MAX];
	struct client *c;
	uint64_t began = uv_hrtime();
	size_t n = 0;

	assert(!TAILQ_EMPTY(&s->waiting));
	for (c = TAILQ_FIRST(&s->waiting); c != NULL && n < GROUP_MAX;
	     c = TAILQ_NEXT(c, link)) {
		clients[n] = c;
		requests[n++] = c->publish;
	}
	if (commit_all(s->commit, requests, n) != 0) {
		s->counters.locked++;
		timer_start(&s->again, on_again, AGAIN_MS);
		return;
	}
	s->counters.groups++;
	s->is_due = false;
	s->commit_ns = uv_hrtime() - began;
	s->expected = n > s->expected / 2 ? n : s->expected / 2;
	for (size_t i = 0; i < n; i++)
		after_append(clients[i]);
}

void
client_on_first(void *cookie)
{
	struct server *s = cookie;

	s->is_held = false;
	s->is_due = true;
	idle_start(&s->more, on_more); /* no sleep before client_on_group() */
}

/*
 * Those who were answered together send their next requests together: the first
 * of them is not to be written to the disk alone.  As many as there were the
 * last time are waited for, but not longer than half of what a commit takes.
 */
static void
hold(struct server *s)
{
	uint64_t ns = s->commit_ns / 2 + 1;

	if (!s->is_held)
		fine_timer_start(s->first,
		    ns < HOLD_MAX_NS ? (long)ns : HOLD_MAX_NS);
	s->is_held = true;
}

void
client_on_group(uv_check_t *check)
{
	struct server *s = check->data;

	idle_stop(&s->more);
	if (s->n_waiting == 0 || timer_is_running(&s->again))
		return;
	if (s->n_waiting < s->expected && !s->is_due) {
		hold(s);
		return;
	}
	if (s->is_held)
		fine_timer_stop(s->first);
	s->is_held = false;
	append_group(s);
	if (s->n_waiting > 0 && !timer_is_running(&s->again))
		idle_start(&s->more, on_more);
}

void
client_give_up_all(struct server *s)
{
	struct client *c, *next;

	for (c = TAILQ_FIRST(&s->waiting); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		commit_busy(s->commit, c->publish);
		after_append(c);
	}
}

void
client_end_all(struct server *s)
{
	struct client *c, *next;

	for (c = TAILQ_FIRST(&s->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		if (!c->is_waiting)
			tell_restart(c);
	}
}
