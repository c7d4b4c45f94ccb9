#ifndef ROWCAST_CONNECTION_H
#define ROWCAST_CONNECTION_H

#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "lib/text.h"

/*
 * One connection from the web server (or, in a plain CGI process, the pipe to
 * it).  It receives one request after the other and sends the response to each
 * as FastCGI records.  It never blocks, and buffers at most one record that did
 * not fit into the socket.
 *
 * A connection is freed from the loop, after it has been closed: no call below
 * frees the connection that it is made on.
 */
struct connection;

/* All connections of a process. */
struct connections;

/*
 * What a connection calls.  After request() it is answering, until
 * connection_end(), connection_answer(), connection_abort() or gone().  All
 * callbacks come from the loop, except those that connection_resume() makes.  A
 * callback may make any call on the connection, and may free its user.
 *   request   a request has arrived; vars is its environment, lent until the
 *             callback returns.  Call connection_set_user() to get the other
 *             callbacks.
 *   writable  the socket has room: call connection_continue(), soon
 *   gone      the peer has left, or the socket has failed.  The connection has
 *             been closed; forget it.
 *   body      part of the request body, lent; bytes NULL: the body has ended
 *   late      nothing of the body has arrived for the time of a request
 * Set both body and late to receive request bodies.  If NULL, bodies are
 * discarded and request() is called after the body has ended.
 */
struct connection_handler {
	void (*request)(void *cookie, struct connection *c,
	    const char *const *vars);
	void (*writable)(void *user);
	void (*gone)(void *user);
	void (*body)(void *user, struct text bytes);
	void (*late)(void *user);
};

/*
 *   units    request_timeout_ms: for a request to arrive whole, and for the end
 *            of a response to be sent
 *   returns  NULL if out of memory
 *   owns     the caller frees with connections_free(); borrows loop, handler
 *            and cookie
 */
struct connections *connections_new(uv_loop_t *loop,
    const struct connection_handler *handler, void *cookie,
    int64_t request_timeout_ms);

/*
 * Close the connections that are left, run the loop until each is freed, and
 * free.  Call connection_abort() on those that have a user before.
 */
void connections_free(struct connections *cs); /* cs may be NULL */

size_t connections_count(const struct connections *cs);

/*
 * Call freed() from the loop after each connection that is freed: there may be
 * room for another one.
 */
void connections_on_freed(struct connections *cs, void (*freed)(void *cookie),
    void *cookie);

/*
 * The process ends: close the connections that are kept and have received
 * nothing of their next request, and keep none from now on.  Connections that
 * are receiving a request or were just accepted stay to be answered: a web
 * server reports an end without a byte as an error of ours.
 */
void connections_close_idle(struct connections *cs);

/*
 * Open a connection on an accepted, non-blocking socket, and read what has
 * arrived: the handler may be called before this returns.
 *   returns  0; -1 if it cannot be served (fd is closed then)
 *   owns     takes fd
 */
int connection_open(struct connections *cs, int fd);

/*
 * Open the connection of a plain CGI process: the response goes to fd, without
 * records.  No request arrives; it is answering from the start.
 *   returns  NULL if out of memory (fd is closed then)
 *   owns     takes fd
 */
struct connection *connection_open_cgi(struct connections *cs, int fd);

/* Set the user, which is passed to writable(), gone(), body() and late(). */
void connection_set_user(struct connection *c, void *user);

enum connection_sent {
	CONNECTION_SENT,    /* all of it is in the socket */
	CONNECTION_PARTLY,  /* part of it is, the rest was copied: wait for
	                       writable() */
	CONNECTION_BLOCKED, /* nothing was taken: wait for writable() */
	CONNECTION_FAILED,  /* call connection_abort() */
};

/*
 * Send response bytes as one record.
 *   shape    pieces[0] is overwritten with the record header, pieces[1..n) hold
 *            len bytes, 1 <= len <= RECORDS_CONTENT_MAX;
 *            n <= CONNECTION_PIECES_MAX; not connection_is_blocked()
 */
#define CONNECTION_PIECES_MAX 1024
enum connection_sent connection_send(struct connection *c, struct iovec *pieces,
    int n, size_t len);

/* Returns whether the socket was full: writable() or connection_continue() is
   still to be called. */
bool connection_is_blocked(const struct connection *c);

/*
 * Send what was unsent, at most one record.
 *   shape    connection_is_blocked()
 *   returns  CONNECTION_SENT: more can be sent; CONNECTION_BLOCKED: wait for
 *            writable(); CONNECTION_FAILED
 */
enum connection_sent connection_continue(struct connection *c);

/* Time (uv_now) at which bytes were last sent. */
int64_t connection_progress_ms(const struct connection *c);

/* The loop that all connections share. */
uv_loop_t *connection_loop(const struct connection *c);

/*
 * End the response: what is unsent and the end records are sent, then the
 * connection takes the next request or closes.  Makes no callbacks from now on.
 */
void connection_end(struct connection *c);

/*
 * Send a whole response of any length, and end as connection_end() does.  If
 * the body has not ended, the rest of it is read and discarded first, for a
 * second and up to 16 MB.
 *   shape    not connection_is_blocked(); not a plain CGI process
 *   returns  0; -1 if out of memory: call connection_abort()
 */
int connection_answer(struct connection *c, const char *bytes, size_t len);

/* Close without an end: the web server sees a response that broke off.  Makes
   no callbacks from now on. */
void connection_abort(struct connection *c);

/*
 * Pause a body that body() receives, until connection_resume().  That call may
 * call body() with what was received by then, and gone() if the bytes are no
 * body or the peer has left; either may free the user.
 */
void connection_pause(struct connection *c);
void connection_resume(struct connection *c);

#endif
