#ifndef ROWCAST_HUB_H
#define ROWCAST_HUB_H

#include "responder_config.h"
#include "lib/fastcgi/connection.h"
#include "source.h"

/*
 * All streams of a process, and the one way from a new row to all of them.
 */
struct hub;

/*
 *   returns  NULL if out of memory
 *   owns     the caller; takes source (if it succeeds), lends loop, config.  hub_free() once
 *            hub_is_empty()
 */
struct hub *hub_new(uv_loop_t *loop, const struct responder_config *config,
    struct source *source);
void hub_free(struct hub *h); /* h may be NULL */

/* Its connections, for those who accept them; lent. */
struct connections *hub_connections(struct hub *h);

/* Called whenever a connection is no more. */
void hub_on_freed(struct hub *h, void (*freed)(void *cookie), void *cookie);

/* Answer one request that came as a plain CGI, on descriptor fd. */
int hub_serve_cgi(struct hub *h, int fd, const char *const *vars);

/*
 * Look whether the log has grown, and send what is new.  Calls nobody back.
 *   returns  was anything new?
 */
bool hub_look(struct hub *h);

/* Try again what the log could not say. */
void hub_retry(struct hub *h);

/* End all streams: each client is told when to come back, and before that
   whether the log was replaced. */
void hub_end(struct hub *h);

/* Close what is left; hub_is_empty() once the loop has run. */
void hub_kill(struct hub *h);

bool hub_is_empty(const struct hub *h);

/* One line of counters for the operator, to the diagnostics. */
void hub_report(const struct hub *h);

#endif
