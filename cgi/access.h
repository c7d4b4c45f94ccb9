#ifndef ROWCAST_ACCESS_H
#define ROWCAST_ACCESS_H

#include <stdbool.h>

#include "lib/problem.h"

/*
 * The rules for access to publishing.  Pure.
 *   token    the Bearer token that gives access, not empty; NULL: none does
 *   is_open  everyone has access
 */
struct access_rules {
	const char *token;
	bool is_open;
};

/*
 * Check whether a request may publish.
 *   shape    the variables REMOTE_USER, AUTH_TYPE and HTTP_AUTHORIZATION of the
 *            request; each may be NULL
 *   returns  0; -1 with *p set: 401 if a token would give access, 403 if no
 *            rule can give access
 *   source   RFC 6750, 2.1 and 3; RFC 3875, 4.1.11
 */
int access_check(const struct access_rules *rules, const char *remote_user,
    const char *auth_type, const char *authorization, struct problem *p);

#endif
