#ifndef ROWCAST_SERVICE_H
#define ROWCAST_SERVICE_H

#include <stdbool.h>

#include <uv.h>

#include "connection.h"
#include "listener.h"

/*
 * A program that serves web servers until SIGTERM or SIGINT: loop, listener,
 * signals, sandbox and graceful end.
 */

/*
 *   listener     where to listen, and for whom
 *   log          path of the log, whose folder the sandbox leaves accessible
 *   uses_syslog  leave the system's log accessible, too
 *   no_sandbox   do not confine the process
 *   is_cgi       the web server started a plain CGI program: do not listen, but
 *                serve one request
 */
struct service_options {
	struct listener_options listener;
	const char *log;
	bool uses_syslog;
	bool no_sandbox;
	bool is_cgi;
};

/*
 * The program.  Every callback gets the cookie of service_run().
 *   open       open what is needed to serve.  Returns the connections, which
 *              the program keeps; NULL after a warning if it cannot start.
 *   serve_cgi  begin to answer the one request of a plain CGI process; called
 *              only with is_cgi.  Returns 0; -1 after a warning.
 *   end        the process ends: end all responses, soon.  Idle connections
 *              have been closed.  Requests may still arrive.
 *   report     write one line of counters to the diagnostics
 *   close      free everything that open() made, the connections included;
 *              called once after open(), even if that returned NULL.
 *              Responses that have not ended by now are lost.
 */
struct service_handler {
	struct connections *(*open)(void *cookie, uv_loop_t *loop);
	int (*serve_cgi)(void *cookie);
	void (*end)(void *cookie);
	void (*report)(void *cookie);
	void (*close)(void *cookie);
};

/*
 * Serve.  SIGTERM and SIGINT begin the end, which takes at most 1.5 s; SIGUSR2
 * calls report().  Call warn_open() before.
 *   returns  0 after serving; -1 after a warning if it could not start
 */
int service_run(const struct service_options *options,
    const struct service_handler *handler, void *cookie);

#endif
