/*
 * rowcast.fcgi, the responder: wiring only.
 */
#include <sys/resource.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "lib/fastcgi/libfcgi.h"
#include "lib/fastcgi/listener.h"
#include "lib/loop/loop.h"
#include "lib/sandbox/sandbox.h"
#include "lib/loop/signals.h"
#include "lib/warn.h"
#include "lib/loop/watch.h"
#include "responder_config.h"
#include "hub.h"

#define END_MS 1500     /* for the ends of all streams to go out */
#define SPARE_PLACES 64 /* for requests beyond the streams: they are told */

struct server {
	uv_loop_t loop;
	struct responder_config config;
	struct hub *hub;
	struct listener *listener; /* NULL as a plain CGI */
	struct watch *watch;
	struct signals signals;
	struct sandbox sandbox;
	uv_timer_t end;
	bool is_cgi;
	bool is_ending;
};

static void
stop(struct server *server)
{
	uv_stop(&server->loop);
}

static void
on_end_timer(uv_timer_t *timer)
{
	stop(timer->data);
}

/* Nobody may be left waiting on a socket that a web server gave us: it closed
   its own, would answer 500 and start the next process a second late. */
static void
end_if_empty(struct server *server)
{
	if (!hub_is_empty(server->hub))
		return;
	if (server->listener == NULL || !listener_take_last(server->listener))
		stop(server);
}

static void
end(struct server *server)
{
	if (server->is_ending)
		return;
	server->is_ending = true;
	hub_end(server->hub);
	if (server->config.socket != NULL) {
		/* the next process may want to listen there now */
		(void)listener_take_last(server->listener);
		listener_free(server->listener);
		server->listener = NULL;
	}
	end_if_empty(server);
	/* cannot fail: there is a callback and the handle is open */
	(void)uv_timer_start(&server->end, on_end_timer, END_MS, 0);
}

static void
on_signal(uv_signal_t *handle, int number)
{
	struct server *server = handle->data;

	if (number == SIGUSR2) {
		sandbox_report(&server->sandbox);
		hub_report(server->hub);
	} else {
		end(server);
	}
}

static void
on_freed(void *cookie)
{
	struct server *server = cookie;

	if (server->is_ending || server->is_cgi)
		end_if_empty(server);
	else if (server->listener != NULL)
		listener_resume(server->listener);
}

static bool
on_look(void *cookie)
{
	struct server *server = cookie;
	bool is_news = hub_look(server->hub);

	hub_retry(server->hub);
	return is_news;
}

/* As many descriptors as we may have: each stream takes one. */
static void
raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	/* if it fails, accept() runs short sooner and says so */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int
open_server(struct server *server)
{
	char why[SOURCE_WHY_MAX];
	struct source *source;

	source = source_new(&server->config, why);
	if (source == NULL) {
		warn_line("%s", why);
		return -1;
	}
	server->hub = hub_new(&server->loop, &server->config, source);
	if (server->hub == NULL)
		source_free(source);
	server->watch = server->hub == NULL ?
	    NULL :
	    watch_new(&server->loop, server->config.db, server->config.poll_ms,
		on_look, server);
	if (server->watch == NULL) {
		warn_line("main: out of memory or descriptors");
		return -1;
	}
	hub_on_freed(server->hub, on_freed, server);
	return 0;
}

static int
open_listener(struct server *server)
{
	const struct responder_config *config = &server->config;
	struct listener_options options = {
		.socket = config->socket,
		.socket_mode = config->socket_mode,
		.web_servers = config->web_servers,
		.max_connections = config->max_streams + SPARE_PLACES,
		.limit_name = "--max-streams",
	};
	char why[LISTENER_WHY_MAX];

	server->listener = listener_new(&server->loop, &options,
	    hub_connections(server->hub), why);
	if (server->listener == NULL)
		warn_line("%s", why);
	return server->listener != NULL ? 0 : -1;
}

static int
confine(struct server *server)
{
	const struct responder_config *config = &server->config;
	const struct sandbox_options options = {
		.log = config->db,
		.socket =
		    server->is_cgi ? NULL : listener_path(server->listener),
		.uses_syslog = config->use_syslog,
	};

	if (sandbox_enter(&server->sandbox, &options) == 0)
		return 0;
	warn_line("main: out of memory");
	return -1;
}

static int
open_client(struct server *server)
{
	if (!server->is_cgi && open_listener(server) != 0)
		return -1;
	signals_watch(&server->signals, &server->loop, on_signal, server);
	if (confine(server) != 0)
		return -1;
	if (!server->is_cgi) {
		warn_root();
		return 0;
	}
	return hub_serve_cgi(server->hub, STDOUT_FILENO,
	    (const char *const *)environ);
}

static void
close_handle(uv_handle_t *handle, void *cookie)
{
	(void)cookie;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Close everything, whatever was opened of it. */
static void
close_server(struct server *server)
{
	listener_free(server->listener);
	server->listener = NULL;
	watch_free(server->watch);
	if (server->hub != NULL) {
		hub_kill(server->hub);
		while (!hub_is_empty(server->hub))
			(void)uv_run(&server->loop, UV_RUN_NOWAIT);
		hub_free(server->hub);
	}
	/* what is left is our own: the signals and the timer */
	uv_walk(&server->loop, close_handle, NULL);
	(void)uv_run(&server->loop, UV_RUN_DEFAULT); /* until all are closed */
	(void)uv_loop_close(&server->loop);
	responder_config_free(&server->config);
}

static int
serve(struct server *server)
{
	int status = EXIT_FAILURE;

	server->sandbox.is_off = server->config.no_sandbox;
	if (sandbox_prepare(&server->sandbox) != 0 ||
	    loop_open(&server->loop) != 0) {
		warn_line("main: out of memory or descriptors");
		return status;
	}
	(void)uv_timer_init(&server->loop, &server->end); /* cannot fail */
	server->end.data = server;
	if (open_server(server) == 0 && open_client(server) == 0) {
		(void)uv_run(&server->loop, UV_RUN_DEFAULT); /* until stop() */
		status = EXIT_SUCCESS;
	}
	close_server(server);
	return status;
}

int
main(int argc, char **argv)
{
	struct server server = { 0 };
	char why[CONFIG_WHY_MAX];

	switch (responder_config_read(argc, argv, &server.config, why)) {
	case CONFIG_OK:
		break;
	case CONFIG_EXIT:
		return EXIT_SUCCESS;
	case CONFIG_BAD:
		warn_open("rowcast.fcgi", false);
		warn_line("%s", why);
		return 2;
	}
	warn_open("rowcast.fcgi", server.config.use_syslog);
	warn_never_wait();
	raise_limits();
	if (libfcgi_init() != 0) {
		warn_line("main: libfcgi does not start");
		return EXIT_FAILURE;
	}
	/* libfcgi's handlers only set a flag; ours come with the loop */
	(void)signal(SIGTERM, SIG_DFL);
	server.is_cgi = server.config.socket == NULL && !libfcgi_is_spawned();
	if (server.is_cgi && getenv("REQUEST_METHOD") == NULL) {
		warn_line("main: no web server has started this program: give"
			  " --socket PATH to listen there (--help)");
		responder_config_free(&server.config);
		return 2;
	}
	return serve(&server);
}
