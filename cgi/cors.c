/*
 * Cross-origin requests.  An origin is written into a header only if it equals
 * one that the operator listed, so nothing that a client sent gets there.
 */
#include "cors.h"

#include <stdio.h>
#include <string.h>

const char cors_preflight[] =
    "Access-Control-Allow-Methods: POST, PUT\r\n"
    "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
    "Access-Control-Max-Age: 600\r\n";

bool
cors_is_listed(const struct text *origins, size_t n_origins, const char *origin)
{
	for (size_t i = 0; i < n_origins; i++)
		if (text_is(origins[i], origin))
			return true;
	return false;
}

bool
cors_write(const struct text *origins, size_t n_origins, const char *origin,
    char out[CORS_MAX])
{
	out[0] = '\0';
	if (n_origins == 0)
		return false;
	/* "Origin: *" is no origin, and must not be given credentials. */
	if (origin != NULL && strcmp(origin, "*") != 0 &&
	    cors_is_listed(origins, n_origins, origin)) {
		(void)snprintf(out, CORS_MAX,
		    "Access-Control-Allow-Origin: %s\r\n"
		    "Access-Control-Allow-Credentials: true\r\n"
		    "Vary: Origin\r\n",
		    origin);
		return true;
	}
	if (cors_is_listed(origins, n_origins, "*")) {
		(void)snprintf(out, CORS_MAX,
		    "Access-Control-Allow-Origin: *\r\nVary: Origin\r\n");
		return true;
	}
	(void)snprintf(out, CORS_MAX, "Vary: Origin\r\n");
	return false;
}
