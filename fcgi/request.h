#ifndef ROWCAST_REQUEST_H
#define ROWCAST_REQUEST_H

#include "lib/filter.h"
#include "lib/problem.h"
#include "lib/start.h"

/*
 * What a client asks for: CGI variables in, a struct request out, or the
 * problem to answer with.  Pure: no I/O, no clock, no environment.
 */

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_OPTIONS };

struct request {
	enum request_method method;
	enum start start;
	int64_t value;         /* see start.h; >= 0, else 0 */
	struct filter *filter; /* never NULL when accepted */
	const char *origin; /* the Origin header, lent by vars; may be empty */
	struct text hello;  /* event name to greet with (query "hello"), or
	                          empty; lent by the request */
	char *query;        /* private: backing store */
};

/*
 * Read what a client asks for.
 *   shape    vars is an environment ("NAME=value", NULL at the end), of which
 *            REQUEST_METHOD, QUERY_STRING, HTTP_LAST_EVENT_ID, HTTP_ACCEPT and
 *            HTTP_ORIGIN are read
 *   start    the first of these that is there and not empty: the header
 *            Last-Event-ID, then query last_event_id, lastEventId, since.  All
 *            take: a row id (0..2^63-1 in decimal), "earliest", "last:N" with
 *            N >= 1, or an RFC 3339 time; none: START_NOW
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
 * decoded is a 400: it may be meant for us.  Of where to start, only the one
 * that counts is read (see start.h).  For OPTIONS only method and origin are
 * read.
 *   source   WHATWG HTML, 9.2; RFC 9110, 12.5.1 (Accept); RFC 3339
 */
int request_parse(const char *const *vars, struct request *r,
    struct problem *p);
void request_free(struct request *r);

#endif
