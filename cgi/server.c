/*
 * The publisher as a FastCGI responder.
 *
 * One thread: what comes in while a transaction is written to the disk is in
 * the next one, so that the wait for the disk is shared by all who are there.
 * Locks are not waited for: while others are writing, it goes on reading and
 * tries again.
 */
#include "server.h"

#include <sys/queue.h>

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include <uv.h>

#include "../lib/connection.h"
#include "../lib/fcgi.h"
#include "../lib/fine_timer.h"
#include "../lib/listener.h"
#include "../lib/warn.h"
#include "commit.h"
#include "publish.h"

#define GROUP_MAX 512 /* requests in one transaction */
#define HOLD_MAX_NS 50000000L
#define AGAIN_MS 2  /* between tries while others are writing */
#define END_MS 1500 /* for the last answers to go out */

/* A request and the connection that it came over. */
struct client {
	TAILQ_ENTRY(client) all;
	TAILQ_ENTRY(client) link; /* waiting to be appended */
	struct server *server;
	struct connection *connection;
	struct publish *publish;
	int64_t since_ms; /* waiting since */
	bool is_waiting;
};

TAILQ_HEAD(client_list, client);

struct server {
	uv_loop_t loop;
	const struct config *config;
	struct connections *connections;
	struct listener *listener;
	struct commit *commit;
	struct log_json *json;
	struct client_list all;
	struct client_list waiting;
	size_t n_waiting;
	size_t expected;          /* so many may be there soon */
	bool is_held;             /* a group waits for others; and ... */
	bool is_due;              /* has waited long enough */
	uint64_t commit_ns;       /* the last commit took */
	uv_check_t group;         /* after each round of reading */
	uv_idle_t more;           /* a group is due: no sleep before it */
	struct fine_timer *first; /* the first has waited for the others */
	uv_timer_t again;         /* other programs are writing */
	uv_timer_t end;
	uv_signal_t signals[3];
	bool is_ending;
	struct {
		uint64_t requests;
		uint64_t groups;
		uint64_t appended; /* requests, or pieces of streamed ones */
		uint64_t locked;   /* times that others were writing */
	} counters;
};

/* ---- clients ---- */

static void
stop_waiting(struct client *c)
{
	TAILQ_REMOVE(&c->server->waiting, c, link);
	c->server->n_waiting--;
	c->is_waiting = false;
}

static void
client_free(struct client *c)
{
	if (c->is_waiting)
		stop_waiting(c);
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
	c->since_ms = (int64_t)uv_now(&s->loop);
	TAILQ_INSERT_TAIL(&s->waiting, c, link);
}

/* Do what the request wants after something has come. */
static void
after_input(struct client *c)
{
	switch (publish_want(c->publish)) {
	case PUBLISH_INPUT:
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
}

static void
on_freed(void *cookie)
{
	struct server *s = cookie;

	if (s->listener != NULL)
		listener_resume(s->listener);
	else if (s->is_ending && connections_count(s->connections) == 0)
		uv_stop(&s->loop);
}

static const struct connection_handler handler = {
	.request = on_request,
	.gone = on_gone,
	.freed = on_freed,
	.body = on_body,
	.late = on_late,
};

/* ---- groups ---- */

/* It was appended, or refused. */
static void
after_append(struct client *c)
{
	stop_waiting(c);
	c->server->counters.appended++;
	if (publish_want(c->publish) == PUBLISH_INPUT)
		connection_resume(c->connection);
	else
		after_input(c);
}

/* Those who have waited too long for others to end their writing. */
static void
give_up(struct server *s)
{
	int64_t now = (int64_t)uv_now(&s->loop);
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
		(void)uv_idle_start(&s->more, on_more); /* cannot fail */
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
		/* cannot fail: there is a callback and the handle is open */
		(void)uv_timer_start(&s->again, on_again, AGAIN_MS, 0);
		return;
	}
	s->counters.groups++;
	s->is_due = false;
	s->commit_ns = uv_hrtime() - began;
	s->expected = n > s->expected / 2 ? n : s->expected / 2;
	for (size_t i = 0; i < n; i++)
		after_append(clients[i]);
}

static void
on_first(void *cookie)
{
	struct server *s = cookie;

	s->is_held = false;
	s->is_due = true; /* on_group() follows */
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

static void
on_group(uv_check_t *check)
{
	struct server *s = check->data;

	if (s->n_waiting == 0 || uv_is_active((uv_handle_t *)&s->again))
		return;
	if (s->n_waiting < s->expected && !s->is_due) {
		hold(s);
		return;
	}
	if (s->is_held)
		fine_timer_stop(s->first);
	s->is_held = false;
	append_group(s);
	/* neither can fail */
	if (s->n_waiting > 0 && !uv_is_active((uv_handle_t *)&s->again))
		(void)uv_idle_start(&s->more, on_more);
	else
		(void)uv_idle_stop(&s->more);
}

/* ---- as a whole ---- */

static void
on_end_timer(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Those whose body is still coming are told; the others get their answer. */
static void
end(struct server *s)
{
	struct client *c, *next;

	if (s->is_ending)
		return;
	s->is_ending = true;
	listener_free(s->listener);
	s->listener = NULL;
	connections_close_idle(s->connections, false);
	for (c = TAILQ_FIRST(&s->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		if (c->is_waiting)
			continue;
		publish_stop(c->publish, 503,
		    "The publisher is being restarted.  Send the rest again.");
		answer(c);
	}
	if (connections_count(s->connections) == 0)
		uv_stop(&s->loop);
	/* cannot fail: there is a callback and the handle is open */
	(void)uv_timer_start(&s->end, on_end_timer, END_MS, 0);
}

static void
report(const struct server *s)
{
	warn_line("report: connections=%zu requests=%llu groups=%llu"
		  " appended=%llu locked=%llu",
	    connections_count(s->connections),
	    (unsigned long long)s->counters.requests,
	    (unsigned long long)s->counters.groups,
	    (unsigned long long)s->counters.appended,
	    (unsigned long long)s->counters.locked);
}

static void
on_signal(uv_signal_t *handle, int number)
{
	if (number == SIGUSR2)
		report(handle->data);
	else
		end(handle->data);
}

/* After fcgi_init(), which installs handlers of its own. */
static void
watch_signals(struct server *s)
{
	static const int numbers[3] = { SIGTERM, SIGINT, SIGUSR2 };

	(void)signal(SIGPIPE, SIG_IGN); /* write() says it, too */
	(void)signal(SIGUSR1, SIG_DFL); /* FastCGI's "end when you can" */
	for (size_t i = 0; i < 3; i++) {
		s->signals[i].data = s;
		if (uv_signal_init(&s->loop, &s->signals[i]) != 0 ||
		    uv_signal_start(&s->signals[i], on_signal, numbers[i]) != 0)
			warn_line("main: signal %d cannot be watched",
			    numbers[i]);
	}
}

static int
open_server(struct server *s)
{
	const struct config *config = s->config;
	struct listener_options options = {
		.socket = config->socket,
		.socket_mode = config->socket_mode,
		.web_servers = config->web_servers,
		.max_connections = config->max_connections,
		.limit_name = "--max-connections",
	};
	char why[LISTENER_WHY_MAX];

	TAILQ_INIT(&s->all);
	TAILQ_INIT(&s->waiting);
	/* none of these can fail */
	(void)uv_check_init(&s->loop, &s->group);
	(void)uv_idle_init(&s->loop, &s->more);
	(void)uv_timer_init(&s->loop, &s->again);
	(void)uv_timer_init(&s->loop, &s->end);
	s->group.data = s->more.data = s->again.data = s->end.data = s;
	(void)uv_check_start(&s->group, on_group);
	s->commit = commit_new(config, 0);
	s->json = log_json_new();
	s->first = fine_timer_new(&s->loop, on_first, s);
	s->connections =
	    connections_new(&s->loop, &handler, s, config->idle_ms);
	if (s->commit == NULL || s->json == NULL || s->connections == NULL ||
	    s->first == NULL) {
		warn_line("main: out of memory");
		return -1;
	}
	s->listener = listener_new(&s->loop, &options, s->connections, why);
	if (s->listener == NULL)
		warn_line("%s", why);
	return s->listener != NULL ? 0 : -1;
}

static void
close_handle(uv_handle_t *handle, void *cookie)
{
	(void)cookie;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void
close_server(struct server *s)
{
	struct client *c;

	listener_free(s->listener);
	s->listener = NULL;
	while ((c = TAILQ_FIRST(&s->all)) != NULL) {
		connection_abort(c->connection);
		client_free(c);
	}
	if (s->connections != NULL) {
		connections_close_idle(s->connections, true);
		while (connections_count(s->connections) > 0)
			(void)uv_run(&s->loop, UV_RUN_NOWAIT);
		connections_free(s->connections);
	}
	fine_timer_free(s->first);
	commit_free(s->commit);
	log_json_free(s->json);
	/* what is left is our own */
	uv_walk(&s->loop, close_handle, NULL);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT); /* until all are closed */
	(void)uv_loop_close(&s->loop);
}

int
server_run(const struct config *config)
{
	struct server s = { .config = config };
	int result;

	if (uv_loop_init(&s.loop) != 0) {
		warn_line("main: out of memory or descriptors");
		return -1;
	}
	result = open_server(&s);
	if (result == 0) {
		watch_signals(&s);
		(void)uv_run(&s.loop, UV_RUN_DEFAULT); /* until uv_stop() */
	}
	close_server(&s);
	return result;
}
