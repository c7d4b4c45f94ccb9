#ifndef ROWCAST_MEDIA_H
#define ROWCAST_MEDIA_H

#include <stdbool.h>

#include "lib/problem.h"
#include "lib/text.h"

/*
 * A Content-Type → how to parse the body.  Pure.
 */
enum media {
	MEDIA_UNKNOWN,      /* none, malformed, another type or charset */
	MEDIA_FORM,         /* application/x-www-form-urlencoded */
	MEDIA_JSON,         /* application/json */
	MEDIA_PLAIN,        /* text/plain */
	MEDIA_NDJSON,       /* application/x-ndjson */
	MEDIA_EVENT_STREAM, /* text/event-stream */
};

/*
 *   shape    content_type as sent, or NULL.  Parameters are allowed; a charset
 *            must be utf-8
 *   source   RFC 9110, 8.3.1 and 5.6.6
 */
enum media media_find(const char *content_type);

/* Set the problem of a body whose type is MEDIA_UNKNOWN.  Returns -1. */
int media_refuse(struct problem *p);

/* Returns whether a body begins as JSON does.  A form with known fields does
   not, nor does the stream of any server. */
bool media_is_json(struct text body);

/* Set the problem of JSON that was sent as another type, a form or an event
   stream.  Returns -1. */
int media_refuse_json(enum media sent_as, struct problem *p);

#endif
