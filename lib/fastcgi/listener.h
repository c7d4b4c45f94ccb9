#ifndef ROWCAST_LISTENER_H
#define ROWCAST_LISTENER_H

#include <sys/types.h>

#include "connections.h"

/*
 * The socket on which web servers connect, and who may.
 */
struct listener;

/*
 *   socket           PATH or HOST:PORT; NULL: descriptor 0, as the web server
 *                    left it
 *   socket_mode      of a socket at a path
 *   web_servers      addresses that may connect over TCP, separated by commas
 *   max_connections  at a time; who comes then waits in the backlog
 *   limit_name       the option to lower where descriptors run out
 */
struct listener_options {
	const char *socket;
	mode_t socket_mode;
	const char *web_servers;
	size_t max_connections;
	const char *limit_name;
};

/*
 *   returns  NULL with why set to one line that says what to do
 *   owns     the caller; listener_free().  Lends loop, connections and the text
 *            of the options
 * A socket at a path that nobody listens on any more is replaced; one in use
 * is refused.
 */
#define LISTENER_WHY_MAX 512
struct listener *listener_new(uv_loop_t *loop,
    const struct listener_options *options, struct connections *cs,
    char why[LISTENER_WHY_MAX]);

/* The path of a socket of our own, which is removed at the end; or NULL. */
const char *listener_path(const struct listener *l);

/* Stop listening; a socket of our own at a path is removed. */
void listener_free(struct listener *l); /* l may be NULL */

/*
 * Take no more but those who have connected already, now, as far as there are
 * places: who waits in the backlog when the last process that holds the socket
 * ends is cut off.  A socket of our own at a path is removed before, so that
 * nobody comes behind them.
 *   returns  whether there was anybody
 */
bool listener_take_last(struct listener *l);

/* There may be room for another connection again. */
void listener_resume(struct listener *l);

#endif
