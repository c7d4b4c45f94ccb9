/*
 * Responses of the responder other than streams, and the headers of streams.
 */
#include "reply.h"

#include <stdio.h>

static const char preflight[] =
    "Access-Control-Allow-Methods: GET, HEAD\r\n"
    "Access-Control-Allow-Headers: Last-Event-ID, Cache-Control\r\n"
    "Access-Control-Max-Age: 86400\r\n";

size_t
reply_head(const struct cors *cors, const struct request *r,
    char out[REPLY_MAX])
{
	char headers[CORS_MAX];
	bool is_allowed = cors_write(cors, r->origin, headers);
	int n;

	if (r->method == REQUEST_OPTIONS)
		n = snprintf(out, REPLY_MAX,
		    "Status: 204 No Content\r\n"
		    "Allow: GET, HEAD, OPTIONS\r\n%s%s\r\n",
		    headers, is_allowed ? preflight : "");
	else
		n = snprintf(out, REPLY_MAX, REPLY_STREAM_HEADERS, headers);
	return (size_t)n;
}

size_t
reply_problem(const struct cors *cors, const struct problem *p,
    const char *origin, char out[REPLY_MAX])
{
	char headers[CORS_MAX];

	(void)cors_write(cors, origin, headers);
	return problem_write(p, headers, out, REPLY_MAX);
}

size_t
reply_retry(const struct cors *cors, const struct problem *p,
    const char *origin, int64_t retry_ms, char out[REPLY_MAX])
{
	char headers[CORS_MAX];

	(void)cors_write(cors, origin, headers);
	return (size_t)snprintf(out, REPLY_MAX, REPLY_RETRY, headers, p->detail,
	    retry_ms);
}
