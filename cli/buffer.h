#ifndef ROWCAST_BUFFER_H
#define ROWCAST_BUFFER_H

#include <stdbool.h>

#include "lib/event.h"

/*
 * Bytes that grow at their end: what is to be written out next.  Pure.
 *   bytes     [0..len), not NUL-ended; NULL as long as nothing was added
 *   is_short  memory ran short: something is missing, and nothing more is
 *             added.  Who writes it out looks at it, nobody before
 * All zero is an empty buffer.
 */
struct buffer {
	char *bytes;
	size_t len;
	size_t cap;
	bool is_short;
};

void buffer_free(struct buffer *b); /* leaves it empty */
void buffer_clear(struct buffer *b);

/*
 * Room for len bytes at the end, which count as added.
 *   returns  NULL if memory is short
 *   voids    what was returned before
 */
char *buffer_room(struct buffer *b, size_t len);

void buffer_add(struct buffer *b, const char *bytes, size_t len);
void buffer_add_string(struct buffer *b, const char *string);
void buffer_add_number(struct buffer *b, int64_t n);

#endif
