#ifndef ROWCAST_STREAMED_H
#define ROWCAST_STREAMED_H

#include <stdbool.h>

#include "lib/event.h"
#include "lib/log/log.h"
#include "lib/problem.h"
#include "media.h"

/*
 * A body that is published as it comes, however long it is.  Pure.
 *
 *   application/x-ndjson  one JSON object a line, with the members of
 *                         application/json; empty lines are passed over
 *   text/event-stream     what a stream sends: event, data and retry become an
 *                         event.  The query may have topic=, and key=, which
 *                         together with the event's id becomes its key.  Events
 *                         named stream-… are passed over: they are about
 *                         the stream that they come from
 *   source   https://github.com/ndjson/ndjson-spec; WHATWG HTML, 9.2.6
 */
struct streamed;

/*
 *   shape    media is MEDIA_NDJSON or MEDIA_EVENT_STREAM; query as sent, or NULL
 *   units    max_bytes: of one line or event, as it is sent
 *   returns  NULL with *p set: 400 (the query), 503 (out of memory)
 *   owns     the caller; streamed_free().  Lends json
 */
struct streamed *streamed_new(enum media media, const char *query,
    struct log_json *json, size_t max_bytes, struct problem *p);
void streamed_free(struct streamed *s); /* s may be NULL */

/*
 * Take some of the body, and its end: then a last line counts even without a
 * line end, and an event that was not ended does not.
 *   returns  0; -1 with *p set, which names the line: 400 or 413, 503.  What
 *            comes after is not looked at any more
 */
int streamed_take(struct streamed *s, const char *bytes, size_t len,
    struct problem *p);
int streamed_end(struct streamed *s, struct problem *p);

/*
 * The events that were completed since streamed_clear(), also before a problem.
 *   owns     lent until streamed_clear(), which is to come before more is taken
 */
struct event *streamed_events(struct streamed *s, size_t *n);
void streamed_clear(struct streamed *s);

/* The line where event i began, from 1. */
uint64_t streamed_line(const struct streamed *s, size_t i);

/* How many events were passed over. */
uint64_t streamed_passed(const struct streamed *s);

/* Did the body end, by streamed_end(), within an event that has data? */
bool streamed_is_unfinished(const struct streamed *s);

#endif
