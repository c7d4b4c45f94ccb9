#ifndef ROWCAST_EVENT_SOURCE_H
#define ROWCAST_EVENT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/event.h"

/*
 * A parser of text/event-stream like that of a browser, for comparison: written
 * from the text of the standard, and shares no code with the programs.  Takes
 * the stream in pieces of any size.  Does not change bytes, where browsers
 * replace invalid UTF-8 by U+FFFD.
 *   source   WHATWG HTML, 9.2.5 "Parsing an event stream", 9.2.6 "Interpreting
 *            an event stream"
 */
struct event_source;

/* Creates a parser without a last event id.  Ends the process if out of memory.
   event_source_free() accepts NULL. */
struct event_source *event_source_new(void);
void event_source_free(struct event_source *es);

/*
 * A block: at least one line, ended by a blank line.
 *   is_event  the block has data: the browser fires an event.  A block without
 *             may still set the last event id or the reconnection time
 *   has_id    the block has a valid id
 *   type      "message" if the block has none; empty if it is no event
 *   data      empty if it is no event
 *   id        the last event id after this block: lastEventId of the event, and
 *             the Last-Event-ID of the next request
 *   retry_ms  the last valid one of this block, or EVENT_NO_RETRY
 */
struct event_source_block {
	bool is_event;
	bool has_id;
	struct text type;
	struct text data;
	struct text id;
	int64_t retry_ms;
};

/* The texts of block are valid until the function returns. */
typedef void event_source_fn(void *cookie,
    const struct event_source_block *block);

/*
 * Takes the next bytes.  Calls block for each block that ends in them.
 */
void event_source_feed(struct event_source *es, const char *bytes, size_t len,
    event_source_fn *block, void *cookie);

/*
 * Call after the connection has ended.  Drops an unfinished block; the next
 * byte is the first of a new stream.  Keeps the last event id, as browsers do
 * (the standard begins with an empty one), and the reconnection time.
 */
void event_source_reconnect(struct event_source *es);

/* Returns the last event id; valid until event_source_feed(), _reconnect() or
   _free(). */
struct text event_source_id(const struct event_source *es);

/* Returns the reconnection time; EVENT_NO_RETRY if the stream has set none,
   INT64_MAX if it is too large for the type. */
int64_t event_source_retry_ms(const struct event_source *es);

/* Returns whether no block has begun, so that nothing is lost if it ends. */
bool event_source_is_between(const struct event_source *es);

#endif
