#ifndef ROWCAST_START_H
#define ROWCAST_START_H

#include "event.h"

/* Where in the log reading begins. */
enum start {
	START_NOW,      /* after the last event there is */
	START_AFTER,    /* after the event with id value */
	START_EARLIEST, /* with the oldest event that is kept */
	START_LAST,     /* with the last value events that are asked for */
	START_SINCE,    /* with the first event created at or after value,
	                   in ms since 1970 */
};

/*
 * Read where reading is to begin: a row id, "earliest", "last:N" or an RFC
 * 3339 time.  Pure.
 *   units    *value as in enum start; a time before 1970 gives 0
 *   returns  0; -1 if it is none of these (*start and *value unchanged)
 * Of RFC 3339 the looser readings that it allows are taken: a space for 'T',
 * small 't' and 'z', any number of decimals (cut to ms).  So is a space for
 * the '+' of the offset, which is what "+" in a pasted query turns into.
 *   source   RFC 3339, 5.6 and 5.7
 */
int start_parse(struct text t, enum start *start, int64_t *value);

#endif
