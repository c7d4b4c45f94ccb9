#ifndef ROWCAST_START_H
#define ROWCAST_START_H

#include "request.h"

/*
 * Read where a stream is to begin: a row id, "earliest", "last:N" or an RFC
 * 3339 time.  Pure.
 *   units    *value as in enum request_start; a time before 1970 gives 0
 *   returns  0; -1 if it is none of these (*start and *value unchanged)
 * Of RFC 3339 the looser readings that it allows are taken: a space for 'T',
 * small 't' and 'z', any number of decimals (cut to ms).  So is a space for
 * the '+' of the offset, which is what "+" in a pasted query turns into.
 *   source   RFC 3339, 5.6 and 5.7
 */
int start_parse(struct text t, enum request_start *start, int64_t *value);

#endif
