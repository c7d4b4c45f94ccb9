#ifndef ROWCAST_GAP_H
#define ROWCAST_GAP_H

#include "log.h"
#include "lib/filter.h"

/*
 * What a client knows to be gone; begins as 0.
 *   upto      removed ids up to this one
 *   is_told   it was told of them.  Else it began with what was kept, and cannot
 *             miss what was gone already: count is of the removals until then
 */
struct gap_known {
	int64_t upto;
	int64_t count;
	bool is_told;
};

/*
 * Has an event that a filter lets pass been removed after a cursor, of which the
 * client does not know?
 *   returns  LOG_OK with *next set to the id from which on all is there, and
 *            *known to what it will know once it is told; or *next to 0 if there
 *            is none.  Else log_why() says why
 * The name of a removed event is not known: any name counts.  Where more topics
 * were removed than can be looked at, one of them counts, whatever it is; and so
 * does what was removed so long ago that its topic has been forgotten.  And where
 * some were gone when the client began and more have gone since, it may be told
 * of the former: the log does not say when.
 */
enum log_result gap_find(struct log *log, const struct filter *f,
    int64_t cursor, struct gap_known *known, int64_t *next);

#endif
