#ifndef ROWCAST_UTF8_H
#define ROWCAST_UTF8_H

#include <stdbool.h>

#include "event.h"

/*
 * Is the text well-formed UTF-8 (no overlong form, no surrogate, nothing
 * above U+10FFFF)?  NUL is an ordinary character; empty text is well-formed.
 *   source   Unicode 15, table 3-7; libunistring's u8_check()
 */
bool utf8_is_valid(struct text t);

#define UTF8_REPLACEMENT 0xfffd

/*
 * The character at a place, for showing text of any bytes.
 *   shape    at < t.len
 *   returns  the bytes it takes, at least 1; *c is UTF8_REPLACEMENT where they
 *            are not well-formed
 *   source   Unicode 15, 3.9 "U+FFFD Substitution of Maximal Subparts"
 */
size_t utf8_next(struct text t, size_t at, uint32_t *c);

#endif
