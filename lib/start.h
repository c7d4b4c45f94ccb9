#ifndef ROWCAST_START_H
#define ROWCAST_START_H

#include <stdint.h>

#include "text.h"

/* Where in the log a stream begins. */
enum start {
	START_NOW,      /* after the last event */
	START_AFTER,    /* after the event with id value */
	START_EARLIEST, /* with the oldest event that is kept */
	START_LAST,     /* with the last value events that pass the filter */
	START_SINCE,    /* with the first event created at or after value,
	                   in ms since 1970 */
};

/*
 * Parse a starting point: a row id (0 to 2^63 - 1 in decimal), "earliest",
 * "last:N" with N >= 1, or an RFC 3339 time.  Pure.
 *   units    *value as in enum start; a time before 1970 gives 0
 *   returns  0; -1 if it is none of these (*start and *value unchanged)
 * Accepts the looser forms that RFC 3339 allows: a space for 'T', lower-case
 * 't' and 'z', any number of decimals (cut to ms).  Also accepts a space for
 * the '+' of the offset, as decoding turns a bare '+' in a query into a space.
 *   source   RFC 3339, 5.6 and 5.7
 */
int start_parse(struct text t, enum start *start, int64_t *value);

#endif
