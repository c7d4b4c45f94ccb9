#ifndef ROWCAST_ROSTER_H
#define ROWCAST_ROSTER_H

#include "stream.h"

/*
 * All streams of a process, and where each stands: live, or waiting for its
 * turn, for its socket or for the log.  Turns are given from the loop only,
 * never within a call below: in each round of the loop a bounded number of
 * them.  Streams that have not had a turn yet come first.
 */
struct roster;

/*
 *   arrivals  called before the first turn of streams that were added since the
 *             last call: once, however many they are.  May make any call below
 *   returns   NULL if out of memory
 *   owns      the caller frees with roster_free(), once the roster is empty;
 *             borrows loop, source, feeds and cookie
 */
struct roster *roster_new(uv_loop_t *loop, const struct source *source,
    struct feeds *feeds, void (*arrivals)(void *cookie), void *cookie);
void roster_free(struct roster *r);

size_t roster_count(const struct roster *r);

/* Add a new stream, and queue it for its first turn. */
void roster_add(struct roster *r, struct stream *s);

/* Remove a stream whose connection has ended, free it, and release its feed. */
void roster_remove(struct roster *r, struct stream *s);

/* Move a stream to where the result of a call belongs.  May free s. */
void roster_settle(struct roster *r, struct stream *s, enum stream_turn turn);

/* Queue a stream for a turn, wherever it stands: it has something to send.  The
   first is for a live stream that has been sent all up to the head, or for any
   other; the second for a live stream whose cursor the caller has set. */
void roster_wake(struct roster *r, struct stream *s);
void roster_queue(struct roster *r, struct stream *s);

/* Queue all streams that wait for the log. */
void roster_retry(struct roster *r);

/* The log was replaced and ends at head: call stream_reset() for each stream,
   and queue those that were live or waited for the log. */
void roster_reset(struct roster *r, int64_t head);

/* Call visit for each stream.  It may remove that stream, but no other. */
void roster_visit(struct roster *r,
    void (*visit)(void *cookie, struct stream *s), void *cookie);

#endif
