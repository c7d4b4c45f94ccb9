/*
 * rowcast.fcgi, the responder: makes its parts and runs them as a service.
 */
#include <stdlib.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/fastcgi/libfcgi.h"
#include "lib/fastcgi/service.h"
#include "lib/loop/watch.h"
#include "lib/warn.h"
#include "hub.h"
#include "responder_config.h"

#define SPARE_PLACES 64 /* connections beyond the streams: to be refused */

struct responder {
	struct responder_config config;
	struct hub *hub;
	struct watch *watch;
};

static bool
on_look(void *cookie)
{
	struct responder *r = cookie;

	return hub_look(r->hub);
}

static struct connections *
open_hub(void *cookie, uv_loop_t *loop)
{
	struct responder *r = cookie;
	char why[SOURCE_WHY_MAX];
	struct source *source = source_new(&r->config, why);

	if (source == NULL) {
		warn_line("%s", why);
		return NULL;
	}
	r->hub = hub_new(loop, &r->config, source);
	if (r->hub == NULL)
		source_free(source);
	else
		r->watch = watch_new(loop, r->config.db, r->config.poll_ms,
		    on_look, r);
	if (r->watch == NULL) {
		warn_line("main: out of memory or descriptors");
		return NULL;
	}
	return hub_connections(r->hub);
}

static int
serve_cgi(void *cookie)
{
	struct responder *r = cookie;

	if (hub_serve_cgi(r->hub, STDOUT_FILENO,
		(const char *const *)environ) == 0)
		return 0;
	warn_line("main: out of memory for the response");
	return -1;
}

static void
end_hub(void *cookie)
{
	struct responder *r = cookie;

	hub_end(r->hub);
}

static void
report_hub(void *cookie)
{
	struct responder *r = cookie;

	hub_report(r->hub);
}

static void
close_hub(void *cookie)
{
	struct responder *r = cookie;

	watch_free(r->watch);
	hub_free(r->hub);
}

static const struct service_handler handler = {
	.open = open_hub,
	.serve_cgi = serve_cgi,
	.end = end_hub,
	.report = report_hub,
	.close = close_hub,
};

static int
serve(struct responder *r, bool is_cgi)
{
	const struct service_options options = {
		.listener = {
			.socket = r->config.socket,
			.socket_mode = r->config.socket_mode,
			.web_servers = r->config.web_servers,
			.max_connections =
			    r->config.max_streams + SPARE_PLACES,
			.limit_name = "--max-streams",
		},
		.log = r->config.db,
		.uses_syslog = r->config.use_syslog,
		.no_sandbox = r->config.no_sandbox,
		.is_cgi = is_cgi,
	};

	return service_run(&options, &handler, r) == 0 ? EXIT_SUCCESS :
							 EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct responder r = { 0 };
	char why[OPTIONS_WHY_MAX];
	enum options_result result;
	bool is_cgi;

	descriptor_reserve_standard();
	warn_open("rowcast.fcgi", false);
	result = responder_config_read(argc, argv, (const char *const *)environ,
	    &r.config, why);
	if (result != OPTIONS_OK) {
		if (result != OPTIONS_SHOWN)
			warn_line("config: %s", why);
		return (int)result;
	}
	warn_open("rowcast.fcgi", r.config.use_syslog);
	is_cgi = r.config.socket == NULL && !libfcgi_is_spawned();
	if (!is_cgi || getenv("REQUEST_METHOD") != NULL)
		return serve(&r, is_cgi);
	warn_line("config: no web server has started this program: give"
		  " --socket PATH to listen there (--help)");
	return OPTIONS_BAD;
}
