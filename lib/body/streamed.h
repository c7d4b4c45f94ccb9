#ifndef ROWCAST_STREAMED_H
#define ROWCAST_STREAMED_H

#include <stdbool.h>

#include "lib/event.h"
#include "lib/log/log.h"
#include "lib/problem.h"
#include "media.h"

/*
 * A body of any length, parsed piece by piece.  Pure.
 *
 *   application/x-ndjson  one JSON object per line, as in body.h; blank lines
 *                         are ignored
 *   text/event-stream     the stream of another server: event, data and retry
 *                         become an event.  Its topic is topic= of the query;
 *                         its key is key= of the query followed by its id, or
 *                         none.  Events named stream-… are passed over: they
 *                         describe the stream that they come from
 *   source   https://github.com/ndjson/ndjson-spec; WHATWG HTML, 9.2.6
 *
 * Call streamed_take() with each piece, use streamed_events(), and call
 * streamed_clear() before the next piece.  After a problem, use the events that
 * came before it, then call streamed_free().
 */
struct streamed;

/*
 *   media      MEDIA_NDJSON or MEDIA_EVENT_STREAM
 *   query      as sent, or NULL
 *   max_bytes  of one line of NDJSON, or one event of an event stream
 *   is_export  see body_parse_line()
 */
struct streamed_options {
	enum media media;
	const char *query;
	size_t max_bytes;
	bool is_export;
};

/*
 *   returns  NULL with *p set: 400 (the query), 503 (out of memory)
 *   owns     the caller calls streamed_free().  Borrows json
 */
struct streamed *streamed_new(const struct streamed_options *options,
    struct log_json *json, struct problem *p);
void streamed_free(struct streamed *s); /* s may be NULL */

/*
 * Parse the next piece, or the end of the body.  At the end, a last line
 * without a line end is an event; an unfinished event of an event stream is
 * not.
 *   returns  0; -1 with *p set: 400, 413 (longer than max_bytes), 503 (out of
 *            memory).  The detail names the line
 */
int streamed_take(struct streamed *s, const char *bytes, size_t len,
    struct problem *p);
int streamed_end(struct streamed *s, struct problem *p);

/*
 * The events completed since streamed_clear().
 *   owns     lent until streamed_clear()
 */
struct event *streamed_events(struct streamed *s, size_t *n);
void streamed_clear(struct streamed *s);

/* The number of the line, from 1, in which event i begins; for i == n, in which
   the next line or event begins, which is the bad one after a problem. */
uint64_t streamed_line(const struct streamed *s, size_t i);

/* The number of events that were passed over. */
uint64_t streamed_passed(const struct streamed *s);

/* Returns true if the body ended within an event that has data. */
bool streamed_is_unfinished(const struct streamed *s);

#endif
