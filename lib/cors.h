#ifndef ROWCAST_CORS_H
#define ROWCAST_CORS_H

#include <stdbool.h>

#include "options.h"
#include "text.h"

/*
 * Cross-origin resource sharing: which other sites' pages may read a
 * response.  Pure.
 *   source   WHATWG Fetch, 3.3 "CORS protocol"
 */

#define CORS_ORIGINS_MAX 64
#define CORS_ORIGIN_LEN_MAX 255

/*
 * The origins that the operator has listed.
 *   origins  without "*"
 *   is_any   "*" is listed: all origins, without credentials
 *   owns     nothing: the origins borrow from what cors_add() read
 */
struct cors {
	struct text origins[CORS_ORIGINS_MAX];
	size_t n_origins;
	bool is_any;
};

/*
 * Add a list of origins, separated by spaces.  An origin is "*" or
 * "scheme://host" or "scheme://host:port", written as browsers send it: in
 * lower case, in ASCII, without a path.
 *   shape    cors is a struct cors: this is the read() of an option
 */
enum options_result cors_add(void *cors, const char *list, char *why);

/* Returns whether an origin equals a listed one; origin may be NULL. */
bool cors_is_listed(const struct cors *cors, const char *origin);

/*
 * Write the header lines of a response, each ended with CRLF: nothing if no
 * origin is listed, else "Vary: Origin", and in answer to an Origin header
 *   - that origin, with credentials, if it is listed;
 *   - "*", without credentials, for any other origin if "*" is listed.
 *   shape    origin is the Origin header as sent; NULL or empty if none
 *   returns  whether pages of that origin may read the response
 */
#define CORS_MAX 512
bool cors_write(const struct cors *cors, const char *origin,
    char out[CORS_MAX]);

#endif
