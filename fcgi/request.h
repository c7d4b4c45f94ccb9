#ifndef ROWCAST_REQUEST_H
#define ROWCAST_REQUEST_H

#include "lib/filter.h"
#include "lib/problem.h"
#include "lib/start.h"

/*
 * The request of a client: CGI variables in, a struct request out, or the
 * problem to answer with.  Pure: no I/O, no clock, no environment.
 */

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_OPTIONS };

struct request {
	enum request_method method;
	enum start start;
	int64_t value;         /* see start.h; never negative */
	struct filter *filter; /* not NULL once the request is accepted */
	const char *origin; /* the Origin header, lent by vars; may be empty */
	struct text hello;  /* name of an event to begin with, or empty; lent by
	                       the request */
	char *query;        /* private: memory that hello points to */
};

/*
 * Read a request.
 *   shape    vars is an environment ("NAME=value", NULL at the end); it reads
 *            REQUEST_METHOD, QUERY_STRING, HTTP_LAST_EVENT_ID, HTTP_ACCEPT and
 *            HTTP_ORIGIN
 *   start    the first of these that is not empty: the header Last-Event-ID,
 *            then the query's last_event_id, lastEventId, since.  See
 *            start_parse() for the values; START_NOW if there is none
 *   topic    repeatable; exact, or a prefix if it ends in '*'; "topic=" is the
 *            empty topic
 *   event    repeatable; exact
 *   returns  0, or -1 with *p set: 405 with Allow, 400 that names the
 *            parameter, 406 if Accept rules out text/event-stream, 503 if out
 *            of memory.  On -1 there is nothing to free
 *   owns     *r holds memory and borrows from vars; end with request_free()
 * Names are at most EVENT_NAME_MAX bytes of UTF-8 without CR, LF or NUL; hello
 * must not begin with EVENT_RESERVED; event= may (it then matches nothing).
 * Unknown parameters are ignored (cache busters), but a name that cannot be
 * decoded is refused with 400, since it may be a known one.  Of the start
 * parameters, only the one that counts is read.  For OPTIONS, only method and
 * origin are read.
 *   source   WHATWG HTML, 9.2; RFC 9110, 12.5.1 (Accept); RFC 3339
 */
int request_parse(const char *const *vars, struct request *r,
    struct problem *p);
void request_free(struct request *r);

#endif
