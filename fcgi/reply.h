#ifndef ROWCAST_REPLY_H
#define ROWCAST_REPLY_H

#include "lib/cors.h"
#include "request.h"

/*
 * Responses of the responder other than streams, and the headers of streams.
 * Pure.
 */

/* The headers of a stream, as a printf format: %s is replaced by further header
   lines. */
#define REPLY_STREAM_HEADERS                        \
	"Status: 200 OK\r\n"                        \
	"Content-Type: text/event-stream\r\n"       \
	"Cache-Control: no-cache, no-transform\r\n" \
	"X-Accel-Buffering: no\r\n"                 \
	"%s\r\n"

#define REPLY_MAX (PROBLEM_MAX + CORS_MAX)

/* Write the whole response to HEAD or OPTIONS; returns its length. */
size_t reply_head(const struct cors *cors, const struct request *r,
    char out[REPLY_MAX]);

/*
 * Write the whole response to a request that is refused; returns its length.
 *   shape    origin is the Origin header, or NULL
 */
size_t reply_problem(const struct cors *cors, const struct problem *p,
    const char *origin, char out[REPLY_MAX]);

#endif
