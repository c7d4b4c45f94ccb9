#ifndef ROWCAST_TAIL_H
#define ROWCAST_TAIL_H

#include "chunk.h"

/*
 * The newest part of the log in memory, encoded, for all streams: what most of
 * them need next.  It begins after some id and ends at its head; between the
 * two it holds every event.  Bounded: the oldest chunks go when it has grown.
 */
struct tail;

/*
 *   units    capacity in bytes of memory; in any case the newest chunk stays,
 *            and as much before it as the last CHUNK_BYTES added, or the last
 *            event if it is larger, may take up
 *   returns  an empty tail that begins and ends at head; NULL if out of memory
 *   owns     the caller; tail_free()
 */
struct tail *tail_new(size_t capacity, int64_t head);
void tail_free(struct tail *t); /* t may be NULL */

/* All events with id <= head have been seen. */
int64_t tail_head(const struct tail *t);

/* Events with id > start are still there. */
int64_t tail_start(const struct tail *t);

/*
 * Append an event.
 *   shape    e->id > tail_head(); len is sse_len(e)
 *   returns  where it lies: the chunk, of which it is the last event; NULL if
 *            out of memory (tail unchanged but for what had to go)
 */
const struct chunk *tail_add(struct tail *t, const struct event *e, size_t len);

/* There is nothing up to this id that tail_add() has not been told. */
void tail_reach(struct tail *t, int64_t head);

/* Take the events with id > head off again; it goes on at head. */
void tail_cut(struct tail *t, int64_t head);

/* Forget all events with id <= upto, and maybe some after it. */
void tail_forget(struct tail *t, int64_t upto);

/* Forget everything, go on at head. */
void tail_clear(struct tail *t, int64_t head);

/*
 * The chunk that holds what comes next after a cursor: after <= cursor < upto.
 *   returns  NULL if cursor < tail_start() or cursor >= tail_head()
 *   owns     lent until the tail is next changed
 */
const struct chunk *tail_find(const struct tail *t, int64_t cursor);

#endif
