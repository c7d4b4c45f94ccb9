/*
 * What is answered before a stream or instead of one: headers, CORS, problems.
 */
#include "reply.h"

#include <stdio.h>

void
reply_origin_headers(const struct responder_config *config, struct text origin,
    char out[REPLY_ORIGIN_MAX])
{
	out[0] = '\0';
	if (origin.len == 0 || origin.len > REPLY_ORIGIN_MAX / 2)
		return;
	for (const char **o = config->cors_origins; *o != NULL; o++)
		if (text_is(origin, *o)) {
			(void)snprintf(out, REPLY_ORIGIN_MAX,
			    "Access-Control-Allow-Origin: %s\r\n"
			    "Access-Control-Allow-Credentials: true\r\n"
			    "Vary: Origin\r\n",
			    *o);
			return;
		}
	if (config->cors_any)
		(void)snprintf(out, REPLY_ORIGIN_MAX,
		    "Access-Control-Allow-Origin: *\r\n");
}

size_t
reply_head(const struct responder_config *config, const struct request *r,
    char out[REPLY_MAX])
{
	char headers[REPLY_ORIGIN_MAX];
	int n;

	reply_origin_headers(config, r->origin, headers);
	if (r->method == REQUEST_OPTIONS)
		n = snprintf(out, REPLY_MAX,
		    "Status: 204 No Content\r\n"
		    "Allow: GET, HEAD, OPTIONS\r\n%s%s\r\n",
		    headers,
		    headers[0] == '\0' ?
			"" :
			"Access-Control-Allow-Methods: GET, HEAD\r\n"
			"Access-Control-Allow-Headers: Last-Event-ID,"
			" Cache-Control\r\n"
			"Access-Control-Max-Age: 86400\r\n");
	else
		n = snprintf(out, REPLY_MAX, REPLY_STREAM_HEADERS, headers);
	return (size_t)n;
}

size_t
reply_problem(const struct responder_config *config, const struct problem *p,
    struct text origin, char out[REPLY_MAX])
{
	char headers[REPLY_ORIGIN_MAX];

	reply_origin_headers(config, origin, headers);
	return problem_write(p, headers, out, REPLY_MAX);
}
