#ifndef ROWCAST_EVENT_STREAM_H
#define ROWCAST_EVENT_STREAM_H

#include "lib/event.h"

/*
 * One event of a text/event-stream → an event of ours.  Pure.
 *   source   WHATWG HTML, 9.2.6 "Interpreting an event stream"
 */

/*
 *   topic  of all events
 *   key    followed by the event's id it is its key; bytes NULL for none
 */
struct event_stream_defaults {
	struct text topic;
	struct text key;
};

enum event_stream_result {
	EVENT_STREAM_EVENT,
	EVENT_STREAM_NOTHING, /* it has no data: comments, an id, a retry */
	EVENT_STREAM_OTHER, /* its name is reserved: about the stream itself */
};

/*
 *   shape    block is the lines of one event, with their ends (LF, CR, CRLF),
 *            without the empty one; arena has room for block.len +
 *            d->key.len bytes behind *used, which grows by what is taken
 *   owns     *e borrows from d and arena
 */
enum event_stream_result event_stream_read(struct text block,
    const struct event_stream_defaults *d, char *arena, size_t *used,
    struct event *e);

#endif
