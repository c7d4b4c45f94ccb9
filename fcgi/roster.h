#ifndef ROWCAST_ROSTER_H
#define ROWCAST_ROSTER_H

#include "stream.h"

/*
 * All streams, and where each stands: live, waiting for its turn, for its
 * socket, or for the log.  Those that wait for a turn get it one after the
 * other, between the other work of the loop.
 */
struct roster;

/*
 *   returns  NULL if out of memory
 *   owns     the caller; roster_free() once it is empty.  Lends feeds, source
 */
struct roster *roster_new(uv_loop_t *loop, struct feeds *feeds,
    struct source *source);
void roster_free(struct roster *r);

size_t roster_count(const struct roster *r);

/* A new stream; it has had no turn yet and stands nowhere. */
void roster_add(struct roster *r, struct stream *s);

/* Take a stream out, and free it with what it holds of its feed. */
void roster_remove(struct roster *r, struct stream *s);

/* Give a stream a turn now; it may be gone afterwards. */
void roster_turn(struct roster *r, struct stream *s);

/* Put a stream where a turn has left it; it may be gone afterwards. */
void roster_settle(struct roster *r, struct stream *s, enum stream_turn turn);

/* It is not live any more, if it was: let it wait for its turn. */
void roster_queue(struct roster *r, struct stream *s);

/* Those who wait for the log wait for a turn. */
void roster_retry(struct roster *r);

/*
 * Call visit for each stream; it may remove that one, but no other.
 */
void roster_visit(struct roster *r,
    void (*visit)(void *cookie, struct stream *s), void *cookie);

#endif
