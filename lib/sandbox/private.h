#ifndef ROWCAST_SANDBOX_PRIVATE_H
#define ROWCAST_SANDBOX_PRIVATE_H

/*
 * Private to sandbox.c, files.c and calls.c.  Functions return 0, or -1 if out
 * of memory; results are left alone if the system supports nothing.
 */

#include "sandbox.h"

/* The mechanism, for the report. */
extern const char sandbox_files_by[];
extern const char sandbox_calls_by[];

/* Allow only the files of the options; *version is that of the mechanism. */
int sandbox_files_confine(const struct sandbox_options *o, int *version);

/* Allow only calls that serving needs.  Without options: refuse only calls that
   are never needed, not even to start. */
int sandbox_calls_confine(const struct sandbox_options *o, bool *is_done);

#endif
