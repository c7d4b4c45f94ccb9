#ifndef ROWCAST_SSE_H
#define ROWCAST_SSE_H

#include <inttypes.h>

#include "event.h"

/*
 * Events, and the other blocks of a stream, as text/event-stream.  Pure.
 *   source   WHATWG HTML, 9.2.5 "Parsing an event stream"
 */

/* ---- events ---- */

/*
 *   returns  the exact number of bytes that sse_encode() writes for this
 *            event; SIZE_MAX if a size_t cannot hold that number.  Such an
 *            event cannot be encoded: no allocation of SIZE_MAX bytes succeeds
 */
size_t sse_len(const struct event *e);

/* Returns a + b, or SIZE_MAX if a size_t cannot hold the sum. */
size_t sse_add_len(size_t a, size_t b);

/*
 * Write one event: "id: N", "event: NAME" unless it is "message", "retry: MS"
 * unless it is EVENT_NO_RETRY, one "data: " line for each line of the data
 * (split at CRLF, CR and LF; an empty text is one empty line), a blank line.
 * Lines end in LF only.
 *   shape    out has room for sse_len(e) bytes; no NUL is added
 *   returns  the number of bytes written, always sse_len(e)
 * A name that holds CR or LF is cut before that byte, so that no row can forge
 * a field.  The schema refuses such a name; a damaged file may hold one.
 */
size_t sse_encode(const struct event *e, char *out);

/*
 * Write the next part of an event whose data is read in parts: as much as the
 * room takes.  The parts together are what sse_encode() writes, except that a
 * name is cut to EVENT_NAME_MAX bytes.
 *   shape    e->data are bytes of the data from the offset from on, at least 2
 *            or all that are left; whole is the length of the data;
 *            room >= SSE_PART_MIN
 *   returns  the number of bytes written.  *taken > 0 is how many bytes of
 *            e->data they encode; the next part begins after them
 */
#define SSE_PART_MIN 512
size_t sse_encode_part(const struct event *e, size_t from, size_t whole,
    char *out, size_t room, size_t *taken);

/* ---- the stream's own blocks ---- */

/*
 * Formats for printf().  All numbers are int64_t.
 *   SSE_START      reconnection time in ms, cursor: the first block
 *   SSE_HELLO      event name, cursor, server time.  The id is repeated because
 *                  some readers forget an id that stands in a block without
 *                  data
 *   SSE_GAP        after, next: events between these ids were removed; from
 *                  next on the log is complete
 *   SSE_RESET      head, after, head: the log was replaced and ends at head;
 *                  after is the last id of the old log that was sent
 *   SSE_KEEPALIVE  a comment
 *   SSE_CURSOR     cursor: moves the client's last event id, fires no event
 *   SSE_RETRY      reconnection time in ms
 */
#define SSE_START "retry: %" PRId64 "\nid: %" PRId64 "\n\n"
#define SSE_HELLO "event: %s\nid: %" PRId64 "\ndata: %s\n\n"
#define SSE_GAP "event: " SSE_GAP_NAME "\ndata: " SSE_GAP_DATA "\n\n"
#define SSE_RESET                                                           \
	"event: " SSE_RESET_NAME "\nid: %" PRId64 "\ndata: " SSE_RESET_DATA \
	"\n\n"
#define SSE_KEEPALIVE ":\n\n"
#define SSE_CURSOR "id: %" PRId64 "\n\n"
#define SSE_RETRY "retry: %" PRId64 "\n\n"

/* Parts of the above.  The data takes after, next and after, head. */
#define SSE_GAP_NAME EVENT_RESERVED "gap"
#define SSE_GAP_DATA "{\"after\":%" PRId64 ",\"next\":%" PRId64 "}"
#define SSE_RESET_NAME EVENT_RESERVED "reset"
#define SSE_RESET_DATA "{\"after\":%" PRId64 ",\"head\":%" PRId64 "}"

#endif
