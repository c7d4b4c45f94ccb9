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

#endif
