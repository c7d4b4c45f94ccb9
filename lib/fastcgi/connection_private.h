#ifndef ROWCAST_CONNECTION_PRIVATE_H
#define ROWCAST_CONNECTION_PRIVATE_H

/*
 * Private to connection.c, one connection, and connections.c, all of them.
 */

#include <sys/queue.h>

#include "connections.h"
#include "libfcgi.h"
#include "records.h"

enum connection_state {
	CONNECTION_READING,   /* a request comes in */
	CONNECTION_ANSWERING, /* somebody sends a response */
	CONNECTION_ENDING,    /* the rest of a response goes out */
	CONNECTION_CLOSING,   /* libuv lets go */
};

TAILQ_HEAD(connection_list, connection);

#define INPUT_BYTES RECORDS_REQUEST_MAX

/* A body that is being taken. */
struct connection_input {
	struct records_body_reader reader;
	char *rest; /* read, but not handed over: it was paused */
	size_t rest_len;
	bool is_paused;
	bool is_over;
};

struct connection {
	/* a plain file cannot be polled and never blocks: then a timer that
	   never runs, so that there is something for libuv to close */
	union {
		uv_handle_t any;
		uv_poll_t poll;
		uv_timer_t unused;
	} handle;
	struct connections *owner;
	TAILQ_ENTRY(connection) link;
	int64_t deadline_ms; /* while in owner->waiting */
	int64_t progress_ms;
	void *user;
	char *buffer; /* READING: what came; else: what is unsent */
	size_t len;
	size_t capacity;
	size_t at;                      /* unsent begins here */
	struct connection_input *input; /* NULL: no body is taken */
	int fd;
	uint16_t id;
	uint8_t state;
	bool is_cgi;
	bool keeps;     /* takes another request after this one */
	bool is_polled; /* handle.poll is what there is */
	bool is_blocked;
	struct connection_list *list; /* that it is in, or NULL */
};

struct connections {
	uv_loop_t *loop;
	uv_timer_t timer;
	const struct connection_handler *handler;
	void *cookie;
	void (*freed)(void *cookie);
	void *freed_cookie;
	int64_t timeout_ms;
	size_t count;
	struct libfcgi_pair pair;
	char *bytes;     /* INPUT_BYTES of a body, while they are handed over */
	bool is_closing; /* none is kept any more */
	bool is_short;   /* of memory for requests, and the operator knows */
	struct connection_list waiting; /* by deadline */
	struct connection_list idle;    /* kept, without deadline */
};

/* The time of the loop. */
int64_t connections_now_ms(const struct connections *cs);

/* Be in no list; in a list; among those with a deadline, from now on. */
void connections_unlist(struct connection *c);
void connections_enlist(struct connection *c, struct connection_list *list);
void connections_wait(struct connection *c);

/* Look for what comes. */
void connection_listen(struct connection *c);
void connection_read(struct connection *c);

void connection_drop_input(struct connection *c);

/* The peer has left, or the socket failed. */
void connection_lose(struct connection *c);

/* Close without telling the user. */
void connection_close(struct connection *c);

#endif
