#ifndef ROWCAST_CONNECTIONS_H
#define ROWCAST_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "connection.h"

/*
 * All connections of a process.
 */
struct connections;

/*
 *   units    request_timeout_ms: for a request to arrive whole, and for the end
 *            of a response to be sent
 *   returns  NULL if out of memory
 *   owns     the caller; connections_free().  Lends loop, handler and cookie.
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
 * Call freed() after each connection that is freed, from the loop: there may be
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

#endif
