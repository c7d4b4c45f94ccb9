#ifndef ROWCAST_GAP_H
#define ROWCAST_GAP_H

#include "log.h"

/*
 * The removals that a client need not be notified of.  Begins as 0.
 *   upto         the highest id among them
 *   is_notified  it was notified of them.  Otherwise it began with the rows
 *                that existed, and cannot miss rows removed before: count is
 *                the number of removals by then
 */
struct gap_known {
	int64_t upto;
	int64_t count;
	bool is_notified;
};

/*
 * Look for a removed event after a cursor, not in *known, that a filter lets
 * pass.
 *   returns  LOG_OK with *next set: 0 if there is none; else the id from which
 *            on no event is missing, and *known as it is once the client has
 *            been notified
 * May report a gap where there is none, since the log does not keep everything
 * about removed events.  Their names are not kept, so any name passes; so does
 * a topic that was forgotten, or that one call does not get to.  If events were
 * removed before and after the client began, the earlier ones may be reported.
 */
enum log_result gap_find(struct log *log, const struct filter *f,
    int64_t cursor, struct gap_known *known, int64_t *next);

#endif
