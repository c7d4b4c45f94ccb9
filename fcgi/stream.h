#ifndef ROWCAST_STREAM_H
#define ROWCAST_STREAM_H

#include <sys/uio.h>

#include "lib/fastcgi/connection.h"
#include "feed.h"
#include "request.h"
#include "source.h"

/*
 * One client: a cursor into the log, and the notices that are due to it.  A
 * stream never queues events: what the socket does not take stays in the log.
 */
struct stream;

/*
 * Shared by all streams of a process.  wake() and over() are called from the
 * loop, never from within stream_turn() and the like.
 *   wake   something is due: queue the stream for stream_turn()
 *   over   the connection has ended: call stream_free(), within over() or later
 */
struct stream_owner {
	struct source *source;
	const struct responder_config *config;
	void (*wake)(void *cookie, struct stream *s);
	void (*over)(void *cookie, struct stream *s);
	void *cookie;
};

/*
 * Begin to answer a request.  The first stream_turn() sends the headers.
 *   shape    r->method is REQUEST_GET; the filter is that of feed, not of r
 *   returns  NULL if out of memory
 *   owns     the caller frees with stream_free(); borrows feed and owner.  If
 *            it succeeds, takes the connection and becomes its user
 */
struct stream *stream_new(struct connection *c, const struct request *r,
    struct feed *feed, const struct stream_owner *owner);

/* Free a stream.  Its connection must have ended: after over(), STREAM_OVER or
   stream_abort(). */
void stream_free(struct stream *s);

/* For struct connection_handler; user is the stream.  The first calls wake(),
   the second over(). */
void stream_on_writable(void *user);
void stream_on_gone(void *user);

struct feed *stream_feed(const struct stream *s);

/*
 * Where a stream stands.  It is part of the stream, which saves an allocation,
 * but only the roster writes it.
 */
struct place {
	struct {
		struct place *prev, *next;
	} all, line; /* first, queued or stuck */
	struct stream *stream;
	enum standing {
		STANDING_NOWHERE,
		STANDING_FIRST,   /* waits for its first turn */
		STANDING_LIVE,    /* was sent all; in feed->live */
		STANDING_QUEUED,  /* is behind and waits for its turn */
		STANDING_BLOCKED, /* waits for its socket */
		STANDING_STUCK,   /* waits until the log can be read again */
	} standing;
	size_t live_at; /* index in the list of its feed */
};
struct place *stream_place(struct stream *s);

enum stream_turn {
	STREAM_MORE,      /* there is more to send: give it another turn */
	STREAM_CAUGHT_UP, /* it has been sent all there is */
	STREAM_FULL,      /* the socket is full: wake() will be called */
	STREAM_TROUBLE,   /* the log cannot be read now */
	STREAM_OVER,      /* it has ended: call stream_free() */
};

/*
 * Send the rest of a record and one more of what is due, or go on looking for
 * the place to start at.  Reads at most one page of the log.  *bytes grows by
 * what was sent.
 */
enum stream_turn stream_turn(struct stream *s, size_t *bytes);

/*
 * Send new events to a live stream, all with one call.
 *   shape    pieces as for connection_send(); the events end with id last
 *   before   the head of the log before these events
 *   returns  STREAM_CAUGHT_UP, STREAM_FULL or STREAM_OVER
 */
enum stream_turn stream_deliver(struct stream *s, struct iovec *pieces, int n,
    size_t len, int64_t before, int64_t last);

/* A live stream has been sent, or has passed over, all events up to a cursor.
   Call this before the roster moves the stream. */
void stream_pass(struct stream *s, int64_t cursor);

/* Set a live stream back to a cursor: later events were not delivered, and may
   have been removed.  Call this before the roster moves the stream. */
void stream_rewind(struct stream *s, int64_t cursor);

/* The log was replaced and ends at head.  The roster must give the stream a
   turn next. */
void stream_reset(struct stream *s, int64_t head);

/* End with the next turn.  The client reconnects after retry_ms, or if that is
   -1, after the reconnection time that it was sent at first. */
void stream_end(struct stream *s, int64_t retry_ms);

/* Close the connection at once.  Call stream_free() next. */
void stream_abort(struct stream *s);

#endif
