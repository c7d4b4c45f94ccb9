/*
 * rowcast-publish.cgi, the publisher.  Started as a CGI program, it serves one
 * request; otherwise it serves many over FastCGI, in one thread.
 */
#include <inttypes.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/fastcgi/libfcgi.h"
#include "lib/fastcgi/service.h"
#include "lib/form.h"
#include "lib/warn.h"
#include "answer.h"
#include "client.h"
#include "publisher_config.h"
#include "plain.h"

#define PROGRAM "rowcast-publish.cgi"
#define KEEP_BYTES 8388608

/*
 * Report a wrong configuration to the operator, and answer 500 to the client
 * of a CGI request.  Returns the exit status.
 */
static int
refuse(bool is_cgi, enum options_result status, const char *why)
{
	struct problem p;
	char *answer;
	size_t len;

	warn_line("config: %s", why);
	if (!is_cgi)
		return (int)status;
	problem_set(&p, 500,
	    "Publishing is not set up correctly; the web "
	    "server's error log has the reason.");
	answer = answer_problem("", &p, NULL, &len);
	if (answer != NULL)
		(void)plain_write(answer, len); /* it has warned already */
	free(answer);
	return (int)status;
}

/*
 * Memory for a group of requests is freed after its answers and allocated again
 * for the next group.  By default, glibc would return it to the kernel in
 * between: two system calls for each request.
 */
static void
keep_memory(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
#endif
}

struct publisher {
	const struct publisher_config *config;
	struct commit *commit;
	struct log *json;
	struct clients clients;
};

static void
end_publisher(void *cookie)
{
	struct publisher *p = cookie;

	clients_end(&p->clients);
}

static void
report_publisher(void *cookie)
{
	const struct publisher *p = cookie;
	const struct group_counters *counters = &p->clients.group.counters;

	warn_line("report: connections=%zu requests=%" PRIu64 " groups=%" PRIu64
		  " appended=%" PRIu64 " locked=%" PRIu64,
	    connections_count(p->clients.connections), p->clients.n_requests,
	    counters->groups, counters->appended, counters->locked);
}

static struct connections *
open_publisher(void *cookie, uv_loop_t *loop)
{
	struct publisher *p = cookie;
	const char *why;

	p->commit = commit_new(p->config, 0);
	p->json = log_open_memory();
	if (p->commit != NULL && (why = commit_open(p->commit)) != NULL)
		warn_line("log: %s: %s; requests are answered 500 until it can"
			  " be opened",
		    p->config->db, why);
	if (p->commit != NULL && p->json != NULL &&
	    clients_open(&p->clients, loop, p->config, p->commit, p->json) == 0)
		return p->clients.connections;
	warn_line("main: out of memory");
	return NULL;
}

static void
close_publisher(void *cookie)
{
	struct publisher *p = cookie;

	clients_close(&p->clients);
	commit_free(p->commit);
	log_close(p->json);
}

static const struct service_handler handler = {
	.open = open_publisher,
	.end = end_publisher,
	.report = report_publisher,
	.close = close_publisher,
};

static int
serve_many(const struct publisher_config *config)
{
	struct publisher p = { .config = config };
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

	warn_open(PROGRAM, config->use_syslog);
	keep_memory();
	return service_run(&options, &handler, &p) == 0 ? EXIT_SUCCESS :
							  EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const char *const *vars = (const char *const *)environ;
	bool is_cgi = form_var(vars, "REQUEST_METHOD") != NULL;
	struct publisher_config config;
	enum options_result result;
	char why[OPTIONS_WHY_MAX];

	descriptor_reserve_standard();
	warn_open(PROGRAM, false);
	result = publisher_config_read(argc, argv, vars, &config, why);
	if (result == OPTIONS_SHOWN)
		return EXIT_SUCCESS;
	if (result != OPTIONS_OK)
		return refuse(is_cgi, result, why);
	if (is_cgi)
		return plain_serve(&config) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (config.socket != NULL || libfcgi_is_spawned())
		return serve_many(&config);
	return refuse(false, OPTIONS_BAD,
	    "no web server has started this program: give --socket PATH to"
	    " listen there (--help)");
}
