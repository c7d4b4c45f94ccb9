#ifndef ROWCAST_SANDBOX_PRIVATE_H
#define ROWCAST_SANDBOX_PRIVATE_H

/*
 * Private to sandbox.c, sandbox_files.c and sandbox_calls.c.
 */

#include "sandbox.h"

/* By what: a word for the report. */
extern const char sandbox_files_by[];
extern const char sandbox_calls_by[];

/*
 * Only these files from now on.
 *   returns  0 with *version of what sees to it, 0 if nothing does; -1 if out
 *            of memory
 */
int sandbox_files_confine(const struct sandbox_options *o, int *version);

/*
 * Refuse what no program of ours ever calls; from confine on, all but what they
 * call when they serve.
 *   returns  0 with *is_done if it is in force; -1 if out of memory
 */
int sandbox_calls_refuse(bool *is_done);
int sandbox_calls_confine(const struct sandbox_options *o, bool *is_done);

#endif
