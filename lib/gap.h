#ifndef ROWCAST_GAP_H
#define ROWCAST_GAP_H

#include "log.h"
#include "filter.h"

/*
 * Has an event that a filter lets pass been removed after a cursor?
 *   returns  LOG_OK with *removed set to the highest such id, or to 0 if there
 *            is none; else log_why() says why
 * The name of a removed event is not known: any name counts.  Where more topics
 * were removed than can be looked at, one of them counts, whatever it is; and so
 * does what was removed so long ago that its topic has been forgotten.
 */
enum log_result gap_find(struct log *log, const struct filter *f,
    int64_t cursor, int64_t *removed);

#endif
