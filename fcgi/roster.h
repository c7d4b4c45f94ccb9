#ifndef ROWCAST_ROSTER_H
#define ROWCAST_ROSTER_H

#include "stream.h"

/*
 * All streams of a process, and where each stands: live, or waiting for its
 * turn, for its socket or for the log.  Streams that wait for a turn get it one
 * after the other, between the other work of the loop.
 */
struct roster;

/*
 *   returns  NULL if out of memory
 *   owns     the caller frees with roster_free(), once the roster is empty;
 *            borrows loop and feeds
 */
struct roster *roster_new(uv_loop_t *loop, struct feeds *feeds);
void roster_free(struct roster *r);

size_t roster_count(const struct roster *r);

/* Add a new stream.  Call roster_turn() for it next. */
void roster_add(struct roster *r, struct stream *s);

/* Remove a stream whose connection has ended, free it, and release its feed. */
void roster_remove(struct roster *r, struct stream *s);

/* Give a stream a turn now.  May free s. */
void roster_turn(struct roster *r, struct stream *s);

/* Move a stream to where the result of its turn belongs.  May free s. */
void roster_settle(struct roster *r, struct stream *s, enum stream_turn turn);

/* Queue a stream for a turn, wherever it stands. */
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
