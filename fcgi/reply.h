#ifndef ROWCAST_REPLY_H
#define ROWCAST_REPLY_H

#include "lib/cors.h"
#include "lib/sse.h"
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

/* The whole response to a client that is to reconnect, as a printf format:
   further header lines, a reason of one line, milliseconds (int64_t). */
#define REPLY_RETRY REPLY_STREAM_HEADERS ": %s\n" SSE_RETRY

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

/* Write the same for EventSource, which stops for good after an error status: a
   stream that ends at once.  Returns its length. */
size_t reply_retry(const struct cors *cors, const struct problem *p,
    const char *origin, int64_t retry_ms, char out[REPLY_MAX]);

#endif
