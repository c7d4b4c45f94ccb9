#ifndef ROWCAST_RECORD_H
#define ROWCAST_RECORD_H

#include "buffer.h"

/*
 * Events, and the other blocks of a stream, as output.  Pure.
 */

enum record_form {
	RECORD_LINE, /* for people */
	RECORD_JSON, /* NDJSON, as import reads it */
	RECORD_SSE,  /* text/event-stream */
};

/*
 * Add one event.
 *   RECORD_LINE  id, time, topic, event and data, separated by tabs
 *   RECORD_JSON  one line: id, topic, event, data, retry, key, created_ms;
 *                without an empty topic, the event "message", and a retry or
 *                key that the event does not have
 *   RECORD_SSE   as a stream sends it
 */
void record_add(struct buffer *b, enum record_form form, const struct event *e);

/* The beginning of a stream: the reconnection time, and its cursor. */
void record_start(struct buffer *b, enum record_form form, int64_t cursor);

/* A keepalive, with a cursor unless that is 0. */
void record_silence(struct buffer *b, enum record_form form, int64_t cursor);

/* Events between two ids were removed; from next on the log is complete. */
void record_gap(struct buffer *b, enum record_form form, int64_t after,
    int64_t next);

/* The log was replaced or is an older copy, and ends at head. */
void record_reset(struct buffer *b, enum record_form form, int64_t after,
    int64_t head);

#endif
