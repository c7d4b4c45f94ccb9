/*
 * The publisher as a FastCGI responder: one process, one thread.
 */
#include "server.h"

#include <inttypes.h>

#include "lib/fastcgi/service.h"
#include "lib/warn.h"
#include "client.h"

struct server {
	const struct publisher_config *config;
	struct commit *commit;
	struct log_json *json;
	struct clients clients;
};

static void
end_server(void *cookie)
{
	struct server *s = cookie;

	clients_end(&s->clients);
}

static void
report_server(void *cookie)
{
	const struct server *s = cookie;
	const struct group_counters *counters = &s->clients.group.counters;

	warn_line("report: connections=%zu requests=%" PRIu64 " groups=%" PRIu64
		  " appended=%" PRIu64 " locked=%" PRIu64,
	    connections_count(s->clients.connections), s->clients.n_requests,
	    counters->groups, counters->appended, counters->locked);
}

static struct connections *
open_server(void *cookie, uv_loop_t *loop)
{
	struct server *s = cookie;

	s->commit = commit_new(s->config, 0);
	s->json = log_json_new();
	if (s->commit != NULL && s->json != NULL &&
	    clients_open(&s->clients, loop, s->config, s->commit, s->json) == 0)
		return s->clients.connections;
	warn_line("main: out of memory");
	return NULL;
}

static void
close_server(void *cookie)
{
	struct server *s = cookie;

	clients_close(&s->clients);
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
