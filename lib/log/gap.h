#ifndef ROWCAST_GAP_H
#define ROWCAST_GAP_H

#include "log.h"

/*
 * What a client knows about removed events.  All 0 at first.
 *   upto      the client knows of removed ids up to this one
 *   is_told   the client was told.  Else it began with the rows that existed,
 *             and cannot miss rows removed before: count is the number of
 *             removals by then
 */
struct gap_known {
	int64_t upto;
	int64_t count;
	bool is_told;
};

/*
 * Find out whether an event that a filter lets pass was removed after a cursor
 * without the client knowing.
 *   returns  LOG_OK.  If so, *next is the id from which on no event is missing,
 *            and *known is what the client knows once it is told.  Else *next
 *            is 0
 * May report a gap where there is none, for the log does not keep everything
 * about removed events.  The name of a removed event is not known: any name
 * counts.  A topic counts if it was forgotten, or if more topics were removed
 * than one call looks at.  If events were removed before and after the client
 * began, the earlier ones may be reported.
 */
enum log_result gap_find(struct log *log, const struct filter *f,
    int64_t cursor, struct gap_known *known, int64_t *next);

#endif
