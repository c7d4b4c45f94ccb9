#ifndef ROWCAST_LISTENER_H
#define ROWCAST_LISTENER_H

#include <sys/types.h>

#include <stdbool.h>

#include "connection.h"

/*
 * The socket that web servers connect to.
 */
struct listener;

/*
 *   socket           where to listen, see address.h; NULL: descriptor 0, a
 *                    listening socket from the web server
 *   socket_mode      of a socket at a path
 *   web_servers      addresses that may connect over TCP, separated by commas
 *   max_connections  at a time; more wait in the backlog
 *   limit_name       the option to lower if descriptors run out
 */
struct listener_options {
	const char *socket;
	mode_t socket_mode;
	const char *web_servers;
	size_t max_connections;
	const char *limit_name;
};

/*
 * Listen, and open a connection for each peer that may connect.  Raises the
 * process's limit on descriptors as far as it may.
 *   returns  NULL after a warning
 *   owns     the caller frees with listener_free(); copies options, borrows
 *            their text, loop and cs
 */
struct listener *listener_new(uv_loop_t *loop,
    const struct listener_options *options, struct connections *cs);

/* Stop listening; a socket of our own at a path is removed. */
void listener_free(struct listener *l); /* l may be NULL */

/* The path of a socket of our own; NULL if there is none. */
const char *listener_path(const struct listener *l);

/* Accept again, if accepting was paused and there is room.  Call it after a
   connection was freed. */
void listener_resume(struct listener *l);

/*
 * Accept the backlog now, as far as there is room, and no connection after
 * that.  A socket of our own at a path is removed before, so that no process
 * can connect afterwards and be cut off.
 *   returns  whether the backlog held a connection
 */
bool listener_take_last(struct listener *l);

#endif
