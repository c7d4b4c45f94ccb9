#ifndef ROWCAST_GATE_H
#define ROWCAST_GATE_H

#include "lib/problem.h"
#include "publisher_config.h"

/*
 * Check the method of a publish request, the rights of its sender, the site
 * that it comes from, and that its body is not compressed.  Pure.
 *   shape    vars is an environment; *type is its CONTENT_TYPE, or NULL, and is
 *            set if a PUT request has none
 *   returns  0; -1 with *p set: 401, 403, 405, 415
 */
int gate_check(const struct publisher_config *config, const char *const *vars,
    const char **type, struct problem *p);

#endif
