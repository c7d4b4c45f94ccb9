/*
 * A program that serves web servers, from its start to its graceful end.
 *
 * A process that ends serves the backlog first: connections in the backlog are
 * cut off when the last process that holds the listening socket exits.
 */
#include "service.h"

#include <signal.h>

#include "lib/loop/loop.h"
#include "lib/loop/timer.h"
#include "lib/sandbox/sandbox.h"
#include "lib/sandbox/trial.h"
#include "lib/warn.h"
#include "libfcgi.h"

#define END_MS 1500 /* for the last responses to be sent */

struct service {
	const struct service_options *options;
	const struct service_handler *handler;
	void *cookie;
	uv_loop_t loop;
	struct connections *connections;
	struct listener *listener; /* NULL as a plain CGI, or once closed */
	uv_signal_t signals[3];
	struct sandbox sandbox;
	uv_timer_t end;
	bool is_ending;
};

/* ---- the end ---- */

static void
on_end_timer(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Serve the backlog of an inherited socket before exiting: the web server has
   closed its copy and would answer 500. */
static void
end_if_empty(struct service *s)
{
	if (connections_count(s->connections) > 0)
		return;
	if (s->listener == NULL || !listener_take_last(s->listener))
		uv_stop(&s->loop);
}

static void
begin_end(struct service *s)
{
	if (s->is_ending)
		return;
	s->is_ending = true;
	connections_close_idle(s->connections);
	s->handler->end(s->cookie);
	if (s->options->listener.socket != NULL) {
		/* the next process may be about to listen there */
		(void)listener_take_last(s->listener);
		listener_free(s->listener);
		s->listener = NULL;
	}
	end_if_empty(s);
	timer_start(&s->end, on_end_timer, END_MS);
}

static void
on_signal(uv_signal_t *handle, int number)
{
	struct service *s = handle->data;

	if (number == SIGUSR2) {
		sandbox_report(&s->sandbox);
		s->handler->report(s->cookie);
	} else {
		begin_end(s);
	}
}

/* SIGUSR1, FastCGI's "end when you can", keeps its default action. */
static void
watch_signals(struct service *s)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGUSR2 };

	(void)signal(SIGPIPE, SIG_IGN); /* write() reports it, too */
	for (size_t i = 0; i < 3; i++) {
		s->signals[i].data = s;
		if (uv_signal_init(&s->loop, &s->signals[i]) != 0 ||
		    uv_signal_start(&s->signals[i], on_signal, numbers[i]) != 0)
			warn_line("main: signal %d cannot be watched",
			    numbers[i]);
	}
}

static void
on_freed(void *cookie)
{
	struct service *s = cookie;

	if (s->is_ending || s->options->is_cgi)
		end_if_empty(s);
	else if (s->listener != NULL)
		listener_resume(s->listener);
}

/* ---- the start ---- */

static int
confine(struct service *s)
{
	const struct sandbox_options options = {
		.log = s->options->log,
		.socket =
		    s->listener != NULL ? listener_path(s->listener) : NULL,
		.uses_syslog = s->options->uses_syslog,
	};
	const bool is_tried = !s->options->is_cgi && !s->options->no_sandbox;
	uint32_t before = is_tried ? trial_refused(options.log) : 0, after;

	if (sandbox_enter(&s->sandbox, &options) != 0) {
		warn_line("main: out of memory");
		return -1;
	}
	after = is_tried ? trial_refused(options.log) & ~before : 0;
	if (after == 0)
		return 0;
	warn_line("sandbox: refuses %s, which serving needs: start the program"
		  " with --no-sandbox, and report the system and its libraries",
	    trial_name(after));
	return -1;
}

static int
open_service(struct service *s)
{
	s->connections = s->handler->open(s->cookie, &s->loop);
	if (s->connections == NULL)
		return -1;
	connections_on_freed(s->connections, on_freed, s);
	if (!s->options->is_cgi) {
		s->listener = listener_new(&s->loop, &s->options->listener,
		    s->connections);
		if (s->listener == NULL)
			return -1;
	}
	watch_signals(s);
	if (confine(s) != 0)
		return -1;
	if (s->options->is_cgi)
		return s->handler->serve_cgi(s->cookie);
	warn_root();
	return 0;
}

static void
close_handle(uv_handle_t *handle, void *cookie)
{
	(void)cookie;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void
close_service(struct service *s)
{
	s->is_ending = true; /* ignore further signals */
	listener_free(s->listener);
	s->listener = NULL;
	s->handler->close(s->cookie);
	uv_walk(&s->loop, close_handle, NULL);  /* the signals and the timer */
	(void)uv_run(&s->loop, UV_RUN_DEFAULT); /* until all are closed */
	(void)uv_loop_close(&s->loop);
}

int
service_run(const struct service_options *options,
    const struct service_handler *handler, void *cookie)
{
	struct service s = { .options = options,
		.handler = handler,
		.cookie = cookie,
		.sandbox = { .is_off = options->no_sandbox } };
	int result;

	warn_never_wait();
	if (libfcgi_init() != 0) {
		warn_line("main: libfcgi cannot be initialised");
		return -1;
	}
	if (sandbox_prepare(&s.sandbox) != 0 || loop_open(&s.loop) != 0) {
		warn_line("main: out of memory or descriptors");
		return -1;
	}
	timer_init(&s.end, &s.loop, &s);
	result = open_service(&s);
	if (result == 0)
		(void)uv_run(&s.loop, UV_RUN_DEFAULT); /* until uv_stop() */
	close_service(&s);
	return result;
}
