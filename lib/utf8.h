#ifndef ROWCAST_UTF8_H
#define ROWCAST_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/*
 * Returns true if the text is well-formed UTF-8: no overlong form, no
 * surrogate, nothing above U+10FFFF.  NUL is an ordinary character.  Empty
 * text is well-formed.
 *   source   Unicode 15, table 3-7; libunistring's u8_check()
 */
bool utf8_is_valid(struct text t);

#define UTF8_REPLACEMENT 0xfffd

/*
 * Decode one character of a text that may hold any bytes, in order to show it.
 *   shape    at < t.len
 *   returns  its length in bytes, at least 1, with *c set: UTF8_REPLACEMENT if
 *            these bytes are not well-formed
 *   source   Unicode 15, 3.9 "U+FFFD Substitution of Maximal Subparts"
 */
size_t utf8_next(struct text t, size_t at, uint32_t *c);

#endif
