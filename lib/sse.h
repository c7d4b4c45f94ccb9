#ifndef ROWCAST_SSE_H
#define ROWCAST_SSE_H

#include "event.h"

/*
 * Events as text/event-stream.  Pure.
 *   source   WHATWG HTML, 9.2.5 "Parsing an event stream"
 */

/*
 * The exact number of bytes that sse_encode() writes for this event.
 */
size_t sse_len(const struct event *e);

/*
 * Write one event: "id: N", "event: NAME" unless it is "message", "retry: MS"
 * unless it is EVENT_NO_RETRY, one "data: " line for each line of the data
 * (split at CRLF, CR and LF; an empty text is one empty line), a blank line.
 * Lines end in LF only.
 *   shape    out has room for sse_len(e) bytes; no NUL is added
 *   returns  the bytes written, always sse_len(e)
 * A name that holds CR or LF (the schema refuses it, a damaged file may not)
 * is cut before that byte, so no row can forge a field.
 */
size_t sse_encode(const struct event *e, char *out);

#endif
