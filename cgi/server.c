/*
 * The publisher as a FastCGI responder: one process, one thread.
 */
#include "server.h"

#include <signal.h>

#include "lib/fastcgi/listener.h"
#include "lib/loop/loop.h"
#include "lib/warn.h"
#include "server_private.h"

#define END_MS 1500 /* for the last answers to go out */

static void
on_end_timer(uv_timer_t *timer)
{
	client_give_up_all(timer->data);
	client_end_all(timer->data); /* who began to ask since the first time */
	uv_stop(timer->loop);
}

static void
end(struct server *s)
{
	if (s->is_ending)
		return;
	s->is_ending = true;
	connections_close_idle(s->connections, false);
	client_end_all(s);
	if (s->config->socket != NULL) {
		/* the next process may want to listen there now */
		(void)listener_take_last(s->listener);
		listener_free(s->listener);
		s->listener = NULL;
	}
	client_end_if_none(s);
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
	struct server *s = handle->data;

	if (number == SIGUSR2) {
		sandbox_report(&s->sandbox);
		report(s);
	} else {
		end(s);
	}
}

static int
open_server(struct server *s)
{
	const struct publisher_config *config = s->config;
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
	TAILQ_INIT(&s->refused);
	/* none of these can fail */
	(void)uv_check_init(&s->loop, &s->group);
	(void)uv_idle_init(&s->loop, &s->more);
	(void)uv_timer_init(&s->loop, &s->again);
	(void)uv_timer_init(&s->loop, &s->patience);
	s->patience.data = s;
	(void)uv_timer_init(&s->loop, &s->end);
	s->group.data = s->more.data = s->again.data = s->end.data = s;
	(void)uv_check_start(&s->group, client_on_group);
	s->commit = commit_new(config, 0);
	s->json = log_json_new();
	s->first = fine_timer_new(&s->loop, client_on_first, s);
	s->connections =
	    connections_new(&s->loop, &client_handler, s, config->idle_ms);
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

static int
confine(struct server *s)
{
	const struct sandbox_options options = {
		.log = s->config->db,
		.socket = listener_path(s->listener),
		.uses_syslog = s->config->use_syslog,
	};

	if (sandbox_enter(&s->sandbox, &options) == 0)
		return 0;
	warn_line("main: out of memory");
	return -1;
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
server_run(const struct publisher_config *config)
{
	struct server s = { .config = config,
		.sandbox = { .is_off = config->no_sandbox } };
	int result;

	if (sandbox_prepare(&s.sandbox) != 0 || loop_open(&s.loop) != 0) {
		warn_line("main: out of memory or descriptors");
		return -1;
	}
	result = open_server(&s);
	if (result == 0) {
		signals_watch(&s.signals, &s.loop, on_signal, &s);
		result = confine(&s);
	}
	if (result == 0) {
		warn_root();
		(void)uv_run(&s.loop, UV_RUN_DEFAULT); /* until uv_stop() */
	}
	close_server(&s);
	return result;
}
