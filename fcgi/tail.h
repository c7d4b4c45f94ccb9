#ifndef ROWCAST_TAIL_H
#define ROWCAST_TAIL_H

#include "chunk.h"

/*
 * The newest part of the log in memory, encoded, for all streams.  It begins
 * after some id and ends at its head, and holds every event between the two.
 * When it exceeds its capacity, the oldest chunks are dropped.
 */
struct tail;

/*
 * Make an empty tail that begins and ends at head.
 *   units    capacity in bytes of memory; in any case it keeps the newest
 *            chunk, and those that hold the last CHUNK_BYTES added, or the last
 *            event if that is larger
 *   returns  NULL if out of memory
 *   owns     the caller frees with tail_free()
 */
struct tail *tail_new(size_t capacity, int64_t head);
void tail_free(struct tail *t); /* t may be NULL */

/* The id up to which it has been filled. */
int64_t tail_head(const struct tail *t);

/* The id after which it holds all events. */
int64_t tail_start(const struct tail *t);

/*
 * Append an event.
 *   shape    e->id > tail_head(); len is sse_len(e)
 *   returns  the chunk, whose last event it is; NULL if out of memory (old
 *            chunks may have been dropped)
 */
const struct chunk *tail_add(struct tail *t, const struct event *e, size_t len);

/* Raise the head: there are no events between the last one added and head. */
void tail_reach(struct tail *t, int64_t head);

/* Remove the events with id > head, and go on at head. */
void tail_cut(struct tail *t, int64_t head);

/* Remove all events with id <= upto, and perhaps some after it. */
void tail_forget(struct tail *t, int64_t upto);

/* Remove all events, and go on at head. */
void tail_clear(struct tail *t, int64_t head);

/*
 * Find the chunk with the events after a cursor: after <= cursor < upto.
 *   returns  NULL if cursor < tail_start() or cursor >= tail_head()
 *   owns     lent until the tail is next changed
 */
const struct chunk *tail_find(const struct tail *t, int64_t cursor);

#endif
