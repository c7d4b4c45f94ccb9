#ifndef ROWCAST_CGI_CORS_H
#define ROWCAST_CGI_CORS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/event.h"

/*
 * Which other sites' pages may read our answers.  Pure.
 *   source   WHATWG Fetch, 3.3 "CORS protocol"
 */

/*
 * Write the header lines of any answer to a page of some origin, each ended
 * with CRLF: with credentials for a listed one, without for all others if "*"
 * is listed; else none of them but Vary, if anything is listed.
 *   shape    origins as in struct publisher_config; origin is the Origin header as sent,
 *            or NULL
 *   units    CORS_MAX bytes are enough
 *   returns  whether that origin's pages may read the answer
 */
#define CORS_MAX 512
bool cors_write(const struct text *origins, size_t n_origins,
    const char *origin, char out[CORS_MAX]);

/* Is this one listed, letter by letter?  origin may be NULL. */
bool cors_is_listed(const struct text *origins, size_t n_origins,
    const char *origin);

/* What an answer to OPTIONS has besides, if cors_write() said yes. */
extern const char cors_preflight[];

#endif
