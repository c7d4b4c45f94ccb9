#ifndef ROWCAST_ACCESS_H
#define ROWCAST_ACCESS_H

#include "lib/problem.h"
#include "publisher_config.h"

/*
 * Check whether a request may publish: because everyone may, because the web
 * server has authenticated the client, or because the client sends the token.
 * Pure.
 *   shape    vars is the environment of the request
 *   returns  0; -1 with *p set: 401 if a token would give access, 403 if no
 *            rule can give access
 *   source   RFC 6750, 2.1 and 3; RFC 3875, 4.1.11
 */
int access_check(const struct publisher_config *config, const char *const *vars,
    struct problem *p);

#endif
