#ifndef ROWCAST_MEDIA_H
#define ROWCAST_MEDIA_H

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

#endif
