#ifndef ROWCAST_CONNECTION_PRIVATE_H
#define ROWCAST_CONNECTION_PRIVATE_H

/*
 * Private to these files, each of which calls only those after it:
 * connections.c (all connections), requests.c (requests), bodies.c (their
 * bodies), connection.c (one connection, and its responses), deadlines.c.
 */

#include <stddef.h>

#include "connection.h"
#include "libfcgi.h"
#include "records.h"

/* Deadlines that lie equally far in the future when they are set, so that they
   expire in the order in which they were set: one list and one timer. */
struct deadline {
	struct deadline *prev, *next;
	int64_t at_ms;
	struct deadlines *owner; /* NULL: not set */
};

struct deadlines {
	uv_timer_t timer; /* the caller closes it */
	struct deadline *all;
	int64_t period_ms;
	void (*expired)(struct deadline *d); /* cleared before; may be freed */
};

void deadlines_init(struct deadlines *ds, uv_loop_t *loop, int64_t period_ms,
    void (*expired)(struct deadline *d));
void deadlines_set(struct deadlines *ds, struct deadline *d);
void deadlines_clear(struct deadline *d); /* d need not be set */

enum connection_state {
	CONNECTION_READING, /* a request arrives; has a deadline */
	CONNECTION_IDLE,    /* kept; nothing of the next request has arrived */
	CONNECTION_ANSWERING, /* the user sends a response; has a deadline while
	                         a body arrives */
	CONNECTION_ENDING, /* the rest of a response is sent; has a deadline */
	CONNECTION_LINGERING, /* the response is sent, the rest of the body is
	                         discarded; has a deadline of its own kind */
	CONNECTION_CLOSING,   /* libuv releases the handle */
};

/* Bytes of a request that have arrived, or of a response that are unsent. */
struct connection_bytes {
	char *bytes;
	size_t len;
	size_t capacity; /* of a request */
	size_t sent;     /* of a response */
};

/* A request body that arrives. */
struct connection_body {
	struct records_body_reader reader;
	char *rest; /* received, but not yet taken: the body is paused */
	size_t rest_len;
	size_t discarded; /* bytes of content, since the response began */
	bool is_paused;
	bool is_over;
};

struct connection {
	/* A plain file cannot be polled and never blocks.  Then the handle is a
	   timer that never runs, so that there is one for libuv to close. */
	union {
		uv_handle_t any;
		uv_poll_t poll;
		uv_timer_t unused;
	} handle;
	struct connections *owner;
	union {
		struct deadline deadline; /* not set while IDLE */
		struct {
			struct connection *prev, *next;
		} idle;
	};
	int64_t progress_ms;
	void *user;
	struct connection_bytes buffer;
	struct records_scanner scanner; /* of the buffer, while READING */
	struct connection_body *body;   /* NULL: the user takes none */
	int fd;
	uint16_t id;
	uint8_t state; /* enum connection_state */
	bool is_cgi;
	bool keeps;     /* takes another request after this one */
	bool is_polled; /* handle.poll is what there is */
	bool is_blocked;
};

/* idle must not overwrite the member that says whether a deadline is set. */
_Static_assert(offsetof(struct deadline, owner) >=
	sizeof(((struct connection *)NULL)->idle),
    "an idle connection has no deadline");

#define CONNECTION_SCRATCH_BYTES RECORDS_REQUEST_MAX

struct connections {
	uv_loop_t *loop;
	const struct connection_handler *handler;
	void *cookie;
	void (*freed)(void *cookie);
	void *freed_cookie;
	uv_poll_cb on_poll;
	struct deadlines deadlines;
	struct deadlines lingering;
	unsigned n_timers; /* that are being closed */
	struct connection *idle;
	size_t count;
	struct libfcgi_pair pair;
	char *scratch;   /* for bodies, or NULL */
	bool is_closing; /* keep no connection for a next request */
	bool is_short;   /* out of memory for requests, and has warned */
};

/* The time of the loop. */
static inline int64_t
connection_now_ms(const struct connection *c)
{
	return (int64_t)uv_now(c->owner->loop);
}

/* Expect progress within the time of a request. */
void connection_set_deadline(struct connection *c);

/* Poll for what arrives, and for nothing else. */
void connection_listen(struct connection *c);

/* Send the end of a response.  Returns -1 if the socket did not take all of
   it. */
int connection_flush_end(struct connection *c);

/* Send the end of a response, which is unsent. */
void connection_send_end(struct connection *c);

/* The response is in the socket: discard the rest of the body, if there is
   some; then take the next request or close. */
void connection_finish(struct connection *c);

/*
 * Take received bytes of the body: hand their content to the user, or discard
 * it if the response has begun.  Bytes are kept if the user pauses, and in
 * c->buffer if c is CONNECTION_IDLE afterwards: they begin the next request.
 */
void connection_take_body(struct connection *c, const char *bytes, size_t len);

/* Receive some of the body, and take it. */
void connection_read_body(struct connection *c);

/* Discard what was received while the body was paused, if the connection
   lingers. */
void connection_discard_rest(struct connection *c);

/* Close, without a callback. */
void connection_close(struct connection *c);

/* The peer has left, or the socket has failed: close, and call gone(). */
void connection_lose(struct connection *c);

/* Something has arrived, or there is room to send. */
void connection_on_poll(uv_poll_t *poll, int status, int events);

#endif
