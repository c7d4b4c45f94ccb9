#ifndef ROWCAST_VALUE_H
#define ROWCAST_VALUE_H

#include <stdint.h>

/*
 * What stands behind an option.  Pure.
 *   returns  0; -1 if it is none of this kind or out of range (*out unchanged)
 */

/* Decimal digits only. */
int value_number(const char *s, int64_t min, int64_t max, int64_t *out);

/*
 * A time span: a number and s, m, h, d or w, as in 90s, 12h or 7d.
 *   units    *ms, from 1 second to 100 years
 */
int value_span(const char *s, int64_t *ms);

#endif
