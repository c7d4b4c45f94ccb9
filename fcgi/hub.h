#ifndef ROWCAST_HUB_H
#define ROWCAST_HUB_H

#include "responder_config.h"
#include "lib/fastcgi/connection.h"
#include "source.h"

/*
 * The responder: takes requests from the web server, answers each with a stream
 * or a refusal, and sends new events to all streams.
 */
struct hub;

/*
 *   returns  NULL if out of memory
 *   owns     the caller frees with hub_free(); takes source if it succeeds;
 *            borrows loop and config
 */
struct hub *hub_new(uv_loop_t *loop, const struct responder_config *config,
    struct source *source);

/* Close all streams and connections, run the loop until they are freed, and
   free. */
void hub_free(struct hub *h); /* h may be NULL */

/* The connections, lent, for a listener to add to. */
struct connections *hub_connections(struct hub *h);

/*
 * Answer one request that came as plain CGI, on descriptor fd.
 *   returns  0; -1 if it cannot be served (fd is closed then)
 */
int hub_serve_cgi(struct hub *h, int fd, const char *const *vars);

/*
 * Look whether the log has grown, send new events, and let streams that wait
 * for the log try again.
 *   returns  whether there were new events
 */
bool hub_look(struct hub *h);

/* End all streams, and each new one.  Each client is sent when to reconnect,
   after a reset if the log was replaced. */
void hub_end(struct hub *h);

/* Write one line of counters to the diagnostics. */
void hub_report(const struct hub *h);

#endif
