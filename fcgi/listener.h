#ifndef ROWCAST_LISTENER_H
#define ROWCAST_LISTENER_H

#include "config.h"
#include "connection.h"

/*
 * The socket on which web servers connect, and who may.
 */
struct listener;

/*
 * Listen on config->socket, or on descriptor 0 as the web server left it.
 *   returns  NULL with why set to one line that says what to do
 *   owns     the caller; listener_free().  Lends loop, config and connections
 * A socket at a path that nobody listens on any more is replaced; one in use
 * is refused.
 */
#define LISTENER_WHY_MAX 512
struct listener *listener_new(uv_loop_t *loop, const struct config *config,
    struct connections *cs, char why[LISTENER_WHY_MAX]);

/* Stop listening; a socket of our own at a path is removed. */
void listener_free(struct listener *l); /* l may be NULL */

/* There may be room for another connection again. */
void listener_resume(struct listener *l);

#endif
