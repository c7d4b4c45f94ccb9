#ifndef ROWCAST_HUB_H
#define ROWCAST_HUB_H

#include "responder_config.h"
#include "lib/fastcgi/connections.h"
#include "source.h"

/*
 * All streams of a process, and the one way from a new row to all of them.
 */
struct hub;

/*
 *   returns  NULL if out of memory
 *   owns     the caller; takes source (if it succeeds), lends loop, config
 */
struct hub *hub_new(uv_loop_t *loop, const struct responder_config *config,
    struct source *source);

/* Close all streams and connections, run the loop until they are freed, and
   free. */
void hub_free(struct hub *h); /* h may be NULL */

/* The connections, lent: for accepting others. */
struct connections *hub_connections(struct hub *h);

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

/* One line of counters for the operator, to the diagnostics. */
void hub_report(const struct hub *h);

#endif
