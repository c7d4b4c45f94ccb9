/*
 * The publisher as a FastCGI responder: one process, one thread.
 */
#include "server.h"

#include "lib/fastcgi/service.h"
#include "lib/loop/idle.h"
#include "lib/loop/timer.h"
#include "lib/warn.h"
#include "server_private.h"

static void
end_server(void *cookie)
{
	struct server *s = cookie;

	s->is_ending = true;
	client_end_all(s);
}

static void
report_server(void *cookie)
{
	const struct server *s = cookie;

	warn_line("report: connections=%zu requests=%llu groups=%llu"
		  " appended=%llu locked=%llu",
	    connections_count(s->connections),
	    (unsigned long long)s->counters.requests,
	    (unsigned long long)s->counters.groups,
	    (unsigned long long)s->counters.appended,
	    (unsigned long long)s->counters.locked);
}

static struct connections *
open_server(void *cookie, uv_loop_t *loop)
{
	struct server *s = cookie;
	const struct publisher_config *config = s->config;

	s->loop = loop;
	TAILQ_INIT(&s->all);
	TAILQ_INIT(&s->waiting);
	TAILQ_INIT(&s->refused);
	idle_init(&s->more, loop, s);
	timer_init(&s->again, loop, s);
	timer_init(&s->patience, loop, s);
	(void)uv_check_init(loop, &s->group); /* returns 0 */
	s->group.data = s;
	(void)uv_check_start(&s->group, client_on_group); /* has a callback */
	s->commit = commit_new(config, 0);
	s->json = log_json_new();
	s->first = fine_timer_new(loop, client_on_first, s);
	s->connections =
	    connections_new(loop, &client_handler, s, config->idle_ms);
	if (s->commit == NULL || s->json == NULL || s->connections == NULL ||
	    s->first == NULL) {
		warn_line("main: out of memory");
		return NULL;
	}
	return s->connections;
}

static void
close_server(void *cookie)
{
	struct server *s = cookie;
	struct client *c;

	client_give_up_all(s);
	client_end_all(s); /* also requests that began after the first time */
	while ((c = TAILQ_FIRST(&s->all)) != NULL) {
		connection_abort(c->connection);
		client_free(c);
	}
	connections_free(s->connections);
	fine_timer_free(s->first);
	commit_free(s->commit);
	log_json_free(s->json);
}

static const struct service_handler handler = {
	.open = open_server,
	.end = end_server,
	.report = report_server,
	.close = close_server,
};

int
server_run(const struct publisher_config *config)
{
	struct server s = { .config = config };
	const struct service_options options = {
		.listener = {
			.socket = config->socket,
			.socket_mode = config->socket_mode,
			.web_servers = config->web_servers,
			.max_connections = config->max_connections,
			.limit_name = "--max-connections",
		},
		.log = config->db,
		.uses_syslog = config->use_syslog,
		.no_sandbox = config->no_sandbox,
	};

	return service_run(&options, &handler, &s);
}
