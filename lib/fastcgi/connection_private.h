#ifndef ROWCAST_CONNECTION_PRIVATE_H
#define ROWCAST_CONNECTION_PRIVATE_H

/*
 * Private to the three files of connections, each of which calls only those
 * after it: connections.c (all of them), requests.c (what arrives), connection.c
 * (one connection, and its responses).
 */

#include <sys/queue.h>

#include "connections.h"
#include "deadlines.h"
#include "input.h"
#include "libfcgi.h"
#include "output.h"

enum connection_state {
	CONNECTION_READING, /* a request arrives; has a deadline */
	CONNECTION_IDLE,    /* kept; nothing of the next request has arrived */
	CONNECTION_ANSWERING, /* the user sends a response; has a deadline while
	                         a body arrives */
	CONNECTION_ENDING,    /* the rest of a response is sent; has one */
	CONNECTION_CLOSING,   /* libuv releases the handle */
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
		TAILQ_ENTRY(connection) idle;
	};
	int64_t progress_ms;
	void *user;
	union {
		struct input in; /* while READING or IDLE */
		struct output out;
	};
	struct input_body *body; /* NULL: the user takes none */
	int fd;
	uint16_t id;
	uint8_t state; /* enum connection_state */
	bool is_cgi;
	bool keeps;     /* takes another request after this one */
	bool is_polled; /* handle.poll is what there is */
	bool is_blocked;
};

/* The member of a union that idle overwrites must not be the one that says
   whether a deadline is set. */
_Static_assert(offsetof(struct deadline, owner) >=
	sizeof(((struct connection *)NULL)->idle),
    "an idle connection has no deadline");

struct connections {
	uv_loop_t *loop;
	const struct connection_handler *handler;
	void *cookie;
	void (*freed)(void *cookie);
	void *freed_cookie;
	uv_poll_cb on_poll;
	struct deadlines deadlines;
	TAILQ_HEAD(idle_list, connection) idle;
	size_t count;
	struct libfcgi_pair pair;
	char *scratch;   /* CONNECTION_SCRATCH_BYTES for bodies, or NULL */
	bool is_closing; /* keep no connection any more */
	bool is_short;   /* out of memory for requests, and has warned */
};

#define CONNECTION_SCRATCH_BYTES RECORDS_REQUEST_MAX

/* connection.c: one connection, and its responses. */

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

/* Send what is unsent.  Returns -1 if the socket did not take all of it. */
int connection_flush(struct connection *c);

/* Close without telling the user. */
void connection_close(struct connection *c);

/* The peer has left, or the socket has failed: close, and tell the user. */
void connection_lose(struct connection *c);

/* requests.c: what arrives. */
void connection_on_poll(uv_poll_t *poll, int status, int events);

#endif
