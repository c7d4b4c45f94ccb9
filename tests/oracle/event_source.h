#ifndef ROWCAST_EVENT_SOURCE_H
#define ROWCAST_EVENT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/event.h"

/*
 * What a browser makes of text/event-stream, written from the standard's text
 * and from nothing of ours, to compare with.  Takes bytes as they come; leaves
 * them as they are (browsers replace what is no UTF-8 by U+FFFD).
 *   source   WHATWG HTML, 9.2.5 "Parsing an event stream", 9.2.6 "Interpreting
 *            an event stream"
 */
struct event_source;

/* Before the first byte of a stream, no last event id.  Ends the process if
   memory is short; event_source_free() takes NULL. */
struct event_source *event_source_new(void);
void event_source_free(struct event_source *es);

/*
 * A block: what stood before a blank line, at least one line.
 *   is_event  the browser fires an event; else there was no data, and the
 *             block may still have changed the last event id or the retry time
 *   has_id    there was an id that counts
 *   type      "message" if none was given; empty if this is no event
 *   data      empty if this is no event
 *   id        the last event id as it is now: what the event has in lastEventId,
 *             and what is sent as Last-Event-ID
 *   retry_ms  of this block, the last that counts, or EVENT_NO_RETRY
 */
struct event_source_block {
	bool is_event;
	bool has_id;
	struct text type;
	struct text data;
	struct text id;
	int64_t retry_ms;
};

/* All that block points to is lent until it returns. */
typedef void event_source_fn(void *cookie,
    const struct event_source_block *block);

/*
 * Take the next bytes, however the stream was cut; block is called for each
 * block that ends in them.
 */
void event_source_feed(struct event_source *es, const char *bytes, size_t len,
    event_source_fn *block, void *cookie);

/*
 * The connection has ended: what is unfinished is dropped, the next byte is the
 * first of a new stream.  Last event id and retry time stay.  (The standard
 * begins a stream with an empty id; browsers begin with the last one.)
 */
void event_source_reconnect(struct event_source *es);

/* The last event id string; lent until the next call that is not a question. */
struct text event_source_id(const struct event_source *es);

/* The reconnection time; EVENT_NO_RETRY if the stream has set none.  One that
   is too large for the type is INT64_MAX. */
int64_t event_source_retry_ms(const struct event_source *es);

/* Has no block begun?  Else an end here would lose something. */
bool event_source_is_between(const struct event_source *es);

#endif
