#ifndef ROWCAST_EVENT_STREAM_H
#define ROWCAST_EVENT_STREAM_H

#include "lib/event.h"

/*
 * One event of a text/event-stream → an event for the log.  Pure.
 *   source   WHATWG HTML, 9.2.6 "Interpreting an event stream"
 */

enum event_stream_result {
	EVENT_STREAM_EVENT,
	EVENT_STREAM_NOTHING, /* no data: only comments, an id or a retry */
	EVENT_STREAM_OTHER, /* its name is reserved for rowcast's own events */
};

/*
 *   shape    block holds the lines of one event with their ends (LF, CR, CRLF),
 *            without the empty line.  The event gets the topic of d, and as
 *            its key that of d followed by the id in the block, if there are
 *            both.  The arena has room for block.len + d->key.len bytes behind
 *            *used
 *   returns  EVENT_STREAM_EVENT with *e set and *used increased; else neither
 *   owns     *e borrows from d and the arena
 */
enum event_stream_result event_stream_read(struct text block,
    const struct event *d, char *arena, size_t *used, struct event *e);

#endif
