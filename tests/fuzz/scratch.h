#ifndef ROWCAST_FUZZ_SCRATCH_H
#define ROWCAST_FUZZ_SCRATCH_H

#include "lib/event.h"

/*
 * A log for each input, in a folder of its own in TMPDIR, which should be in
 * memory.  A failure here ends the target.
 */

/* Its path; it is as new.  The path and the file are always the same, so it may
   be open, but nobody may be reading. */
const char *scratch_log(void);

/* A row, taken in or out by hand; between begin and commit, if it is many. */
void scratch_begin(void);
void scratch_commit(void);
void scratch_insert(const struct event *e, int64_t created_ms);
void scratch_remove(int64_t id);

/* Any SQL. */
__attribute__((format(printf, 1, 2))) void scratch_sql(const char *format, ...);

#endif
