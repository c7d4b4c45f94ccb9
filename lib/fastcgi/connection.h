#ifndef ROWCAST_CONNECTION_H
#define ROWCAST_CONNECTION_H

#include <sys/uio.h>

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "lib/event.h"

/*
 * One connection from the web server (or, as a plain CGI, the pipe to it): it
 * takes one request after the other, and carries the response to each as
 * FastCGI records.  It never waits and keeps at most one record that did not
 * fit into the socket.
 */
struct connection;

/*
 * What a connection tells.  After request() the connection is answering, until
 * connection_end() or connection_abort(); meanwhile writable() and gone() can
 * come, from the loop only, never from within a call of ours, but for
 * connection_resume().
 *   request   vars is an environment, lent until it returns
 *   writable  what was not sent has gone out; more can be sent
 *   gone      the peer has left, or the socket failed; the connection frees
 *             itself, user is to be forgotten
 * Who wants the bodies of requests has both of these, else bodies are thrown
 * away and request() comes at their end.  They come only to a user that
 * request() has set.
 *   body      some of the body, lent; bytes NULL: it is over
 *   late      nothing of the body has come for the time of a request
 */
struct connection_handler {
	void (*request)(void *cookie, struct connection *c,
	    const char *const *vars);
	void (*writable)(void *user);
	void (*gone)(void *user);
	void (*body)(void *user, struct text bytes);
	void (*late)(void *user);
};

struct connections;

/*
 * Begin with an accepted socket, non-blocking.
 *   returns  0; -1 if it cannot be served (it is closed then)
 *   owns     takes fd
 */
int connection_open(struct connections *cs, int fd);

/*
 * The connection of a plain CGI process: output to fd, no records, no
 * requests.  It is answering from the start.
 *   returns  NULL if it cannot be served (fd is closed then)
 */
struct connection *connection_open_cgi(struct connections *cs, int fd);

/* Who answers; handed to writable() and gone(). */
void connection_set_user(struct connection *c, void *user);

enum connection_sent {
	CONNECTION_SENT,   /* all of it is in the socket */
	CONNECTION_PARTLY, /* some is, the rest was copied: wait for writable */
	CONNECTION_BLOCKED, /* nothing was taken: wait for writable */
	CONNECTION_FAILED,  /* of no more use: call connection_abort() */
};

/*
 * Send response bytes as one record.
 *   shape    pieces[0] is left free and overwritten, pieces[1..n) hold len
 *            bytes, 1 <= len <= RECORDS_CONTENT_MAX; n <= CONNECTION_PIECES_MAX;
 *            nothing unsent is waiting (see connection_is_blocked())
 */
#define CONNECTION_PIECES_MAX 1024
enum connection_sent connection_send(struct connection *c, struct iovec *pieces,
    int n, size_t len);

/* The loop that all connections share. */
uv_loop_t *connection_loop(const struct connection *c);

/* Has something been kept back or refused, and writable() not come since? */
bool connection_is_blocked(const struct connection *c);

/* Time (uv_now) of the last byte that went out. */
int64_t connection_progress_ms(const struct connection *c);

/*
 * End the response: the end of the records follows what is unsent, then the
 * connection takes the next request or closes.  The user is forgotten.
 */
void connection_end(struct connection *c);

/*
 * Send a whole response of any length, and end as connection_end() does.
 *   returns  0; -1 if out of memory: call connection_abort()
 */
int connection_answer(struct connection *c, const char *bytes, size_t len);

/*
 * Take no more of the body until connection_resume().  That hands over what had
 * been read by then, so it may call body() and, where that is no body or the
 * peer has left, gone(): the user may be no more when it returns.
 */
void connection_pause(struct connection *c);
void connection_resume(struct connection *c);

/* Close without an end: the web server sees a response that broke off. */
void connection_abort(struct connection *c);

#endif
