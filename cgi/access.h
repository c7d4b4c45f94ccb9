#ifndef ROWCAST_ACCESS_H
#define ROWCAST_ACCESS_H

#include <stdbool.h>

#include "lib/problem.h"

/*
 * May this request publish?  Pure.
 *   token    what a Bearer token must equal, never empty; NULL for no token
 *   is_open  everyone may
 */
struct access_rules {
	const char *token;
	bool is_open;
};

/*
 *   shape    remote_user: REMOTE_USER, as the web server authenticated it;
 *            auth_type: AUTH_TYPE, how; authorization: the Authorization
 *            header as sent; each may be NULL
 *   returns  0; -1 with *p set: 401 if a token would do, 403 if nothing is set
 *            that could let anyone in
 *   source   RFC 6750, 2.1 and 3; RFC 3875, 4.1.11
 */
int access_check(const struct access_rules *rules, const char *remote_user,
    const char *auth_type, const char *authorization, struct problem *p);

#endif
