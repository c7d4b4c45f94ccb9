#ifndef ROWCAST_STREAM_H
#define ROWCAST_STREAM_H

#include <sys/queue.h>
#include <sys/uio.h>

#include <uv.h>

#include "lib/fastcgi/connection.h"
#include "feed.h"
#include "request.h"
#include "source.h"

/*
 * One client: a cursor into the log, and what is still to be told to it.  It
 * never queues events: what the socket does not take stays in the log.
 */

/*
 * News for who keeps the streams; from the loop only, never from within a call.
 *   wake   something is to be sent: call stream_turn()
 *   over   the client has left: call stream_free()
 */
struct stream_handler {
	void (*wake)(struct stream *s);
	void (*over)(struct stream *s);
};

/* Where a stream stands; kept by who keeps the streams. */
enum stream_place {
	STREAM_NOWHERE,
	STREAM_LIVE,    /* has been sent all there is; in feed->live */
	STREAM_QUEUED,  /* is behind, waits for its turn */
	STREAM_BLOCKED, /* waits for its socket */
	STREAM_STUCK,   /* waits for the log to be readable again */
};

struct stream {
	/* of who keeps the streams */
	TAILQ_ENTRY(stream) all;
	TAILQ_ENTRY(stream) line; /* queued or stuck */
	enum stream_place place;
	size_t live_at;
	struct feed *feed;
	void *keeper;

	/* of stream.c */
	struct connection *connection;
	struct source *source;
	const struct responder_config *config;
	const struct stream_handler *handler;
	uv_timer_t timer;
	int64_t ends_ms; /* its maximum age */
	int64_t cursor;  /* all events up to this id are sent or passed */
	int64_t told;    /* last id that the client knows */
	int64_t part_id; /* event of which ... */
	size_t part;     /* ... so many bytes are sent; 0: none; ... */
	size_t part_len; /* ... of so many */
	struct gap_known known; /* what the client knows is gone */
	int64_t reset_after;
	int64_t gap_after;
	int64_t gap_next;
	int64_t retry_ms;           /* to say at the end */
	struct stream_start *start; /* until the first record is sent */
	unsigned notices; /* what is to be said before the next event */
	bool must_check;  /* for a gap */
	bool is_checked;  /* for one, in this turn, ... */
	int64_t checked;  /* ... when the log was of this version */
};

/*
 * Begin to answer a request.  The first stream_turn() sends the headers.
 *   shape    r->method is REQUEST_GET; r's filter is no longer looked at
 *   returns  NULL if out of memory
 *   owns     lends feed, source, config and handler; takes the connection
 */
struct stream *stream_new(struct connection *c, const struct request *r,
    struct feed *feed, struct source *source,
    const struct responder_config *config,
    const struct stream_handler *handler);

/* Let go of a stream whose connection has ended. */
void stream_free(struct stream *s);

enum stream_turn {
	STREAM_MORE,      /* there is more to send: another turn */
	STREAM_CAUGHT_UP, /* it has all there is */
	STREAM_FULL,      /* the socket is full: wake() will come */
	STREAM_TROUBLE,   /* the log cannot be read now */
	STREAM_OVER,      /* it has ended: call stream_free() */
};

/*
 * Send what there is, but not so much that others would wait.
 */
enum stream_turn stream_turn(struct stream *s);

/*
 * Send new events to a live stream, all with one call.
 *   shape    pieces as for connection_send(); the events end with id last
 *   before   the head of the log before these events
 *   returns  STREAM_CAUGHT_UP, STREAM_FULL or STREAM_OVER
 */
enum stream_turn stream_deliver(struct stream *s, struct iovec *pieces, int n,
    size_t len, int64_t before, int64_t last);

/* It is at this cursor, and events after it may have been removed. */
void stream_rewind(struct stream *s, int64_t cursor);

/* The log was replaced and ends at head; a turn is to follow. */
void stream_reset(struct stream *s, int64_t head);

/* Tell the client to come back after retry_ms, and end; a turn is to follow. */
void stream_end(struct stream *s, int64_t retry_ms);

#endif
