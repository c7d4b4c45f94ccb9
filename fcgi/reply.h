#ifndef ROWCAST_REPLY_H
#define ROWCAST_REPLY_H

#include "responder_config.h"
#include "request.h"

/*
 * What is answered before a stream or instead of one.  Pure: text only.
 */

/*
 * The headers with which a stream begins, as a format for printf: %s stands
 * for further header lines.
 */
#define REPLY_STREAM_HEADERS                        \
	"Status: 200 OK\r\n"                        \
	"Content-Type: text/event-stream\r\n"       \
	"Cache-Control: no-cache, no-transform\r\n" \
	"X-Accel-Buffering: no\r\n"                 \
	"%s\r\n"

/*
 * The header lines that answer an Origin header, each ended with CRLF, or ""
 * where there is none or it may not read.
 *   shape    out is NUL-ended
 */
#define REPLY_ORIGIN_MAX 512
void reply_origin_headers(const struct responder_config *config,
    struct text origin, char out[REPLY_ORIGIN_MAX]);

#define REPLY_MAX (PROBLEM_MAX + REPLY_ORIGIN_MAX)

/* The whole response to HEAD and OPTIONS; returns its length. */
size_t reply_head(const struct responder_config *config,
    const struct request *r, char out[REPLY_MAX]);

/* The whole response to a request that is refused; returns its length. */
size_t reply_problem(const struct responder_config *config,
    const struct problem *p, struct text origin, char out[REPLY_MAX]);

#endif
