#ifndef ROWCAST_ESCAPE_H
#define ROWCAST_ESCAPE_H

#include "buffer.h"

/*
 * Add a text of any bytes so that it stays on its line and does nothing to a
 * terminal: control characters as \n or \u00XX, each piece that is not UTF-8
 * as U+FFFD.  Pure.
 *   quoted   these ASCII characters get a backslash in front
 */
void escape_text(struct buffer *b, struct text t, const char *quoted);

#endif
