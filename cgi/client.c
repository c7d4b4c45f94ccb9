/*
 * The requests of a publisher that serves many.
 *
 * The state of its publish decides whether a client is in the group, and only
 * set_state() moves it.  It is freed once it has been answered: a refusal does
 * not wait for the end of the body.
 */
#include "client.h"

#include <stdlib.h>

#include <utlist.h>

#include "lib/warn.h"

/*
 * A request and the connection that it came over.
 *   state     decides whether it is in the group
 */
struct client {
	struct clients *owner;
	struct connection *connection;
	struct publish *publish;
	enum publish_state state;
	struct group_member member;
	struct {
		struct client *prev, *next;
	} all;
};

static void
set_state(struct client *c, enum publish_state state)
{
	struct clients *cs = c->owner;

	if (state == c->state)
		return;
	if (c->state == PUBLISH_APPENDING)
		group_leave(&cs->group, &c->member);
	c->state = state;
	if (state == PUBLISH_APPENDING)
		group_join(&cs->group, &c->member);
}

static void
client_free(struct client *c)
{
	set_state(c, PUBLISH_ANSWERING);
	DL_DELETE2(c->owner->all, c, all.prev, all.next);
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

/* Answer a request whose body has not ended; this frees the client. */
static void
stop(struct client *c, int status, const char *detail)
{
	publish_stop(c->publish, status, detail);
	answer(c);
}

static void
stop_for_restart(struct client *c)
{
	stop(c, 503, "The publisher is being restarted.  Send the rest again.");
}

/* Follow the state of the publish; this may free the client. */
static void
follow(struct client *c)
{
	bool was_paused = c->state == PUBLISH_APPENDING;

	set_state(c, publish_state(c->publish));
	if (c->state == PUBLISH_ANSWERING)
		answer(c);
	else if (c->state == PUBLISH_DISCARDING)
		stop(c, 0, ""); /* the connection discards the body */
	else if (c->state == PUBLISH_APPENDING)
		connection_pause(c->connection);
	else if (was_paused && c->owner->is_ending)
		stop_for_restart(c);
	else if (was_paused)
		connection_resume(c->connection);
}

static void
on_body(void *user, struct text bytes)
{
	struct client *c = user;

	if (bytes.bytes != NULL)
		publish_take(c->publish, bytes.bytes, bytes.len);
	else
		publish_end(c->publish);
	follow(c);
}

static void
on_late(void *user)
{
	stop(user, 408, "No part of the body has arrived for a while.");
}

static void
on_gone(void *user)
{
	client_free(user);
}

static void
on_appended(void *user)
{
	follow(user);
}

static void
on_request(void *cookie, struct connection *connection, const char *const *vars)
{
	struct clients *cs = cookie;
	struct client *c = calloc(1, sizeof(*c));

	cs->n_requests++;
	if (c != NULL)
		c->publish = publish_new(cs->config, cs->json, vars, true);
	if (c == NULL || c->publish == NULL) {
		warn_line("main: out of memory for a request");
		free(c);
		connection_abort(connection);
		return;
	}
	c->owner = cs;
	c->connection = connection;
	c->member.user = c;
	c->member.publish = c->publish;
	DL_APPEND2(cs->all, c, all.prev, all.next);
	connection_set_user(connection, c);
	follow(c); /* if it is refused, its body may never begin */
}

int
clients_open(struct clients *cs, uv_loop_t *loop,
    const struct publisher_config *config, struct commit *commit,
    struct log *json)
{
	static const struct connection_handler handler = {
		.request = on_request,
		.gone = on_gone,
		.body = on_body,
		.late = on_late,
	};
	int result;

	*cs = (struct clients){ .loop = loop, .config = config, .json = json };
	result =
	    group_open(&cs->group, loop, commit, config->busy_ms, on_appended);
	cs->connections = connections_new(loop, &handler, cs, config->idle_ms);
	return result == 0 && cs->connections != NULL ? 0 : -1;
}

void
clients_end(struct clients *cs)
{
	struct client *c, *next;

	cs->is_ending = true;
	for (c = cs->all; c != NULL; c = next) {
		next = c->all.next;
		if (c->state != PUBLISH_APPENDING)
			stop_for_restart(c);
	}
}

void
clients_close(struct clients *cs)
{
	if (cs->loop == NULL)
		return;
	group_give_up(&cs->group);
	clients_end(cs); /* requests may have begun since the first time */
	connections_free(cs->connections);
	group_close(&cs->group);
}
