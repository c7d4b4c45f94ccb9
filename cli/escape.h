#ifndef ROWCAST_ESCAPE_H
#define ROWCAST_ESCAPE_H

#include "buffer.h"

/*
 * Add a text of any bytes so that it stays on one line and does not control a
 * terminal: control characters become \n or \u00XX, malformed UTF-8 becomes
 * U+FFFD.  Pure.
 *   quoted   ASCII characters to be preceded by a backslash
 */
void escape_text(struct buffer *b, struct text t, const char *quoted);

#endif
