#ifndef ROWCAST_BUFFER_H
#define ROWCAST_BUFFER_H

#include <stdbool.h>

#include "lib/event.h"

/*
 * A growing buffer of output.  All zero is an empty buffer.  Pure.
 *   bytes     [0..len), not NUL-terminated; NULL before anything was added
 *   is_short  an allocation has failed: something is missing, and nothing more
 *             is added.  Check it only before the buffer is written out
 */
struct buffer {
	char *bytes;
	size_t len;
	size_t cap;
	bool is_short;
};

void buffer_free(struct buffer *b); /* the buffer is empty then */
void buffer_clear(struct buffer *b);

/*
 * Add len bytes, for the caller to fill in.
 *   returns  the bytes; NULL if an allocation has failed
 *   voids    the bytes that earlier calls returned
 */
char *buffer_room(struct buffer *b, size_t len);

void buffer_add(struct buffer *b, const char *bytes, size_t len);
void buffer_add_string(struct buffer *b, const char *string);
void buffer_print(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Add a text of any bytes so that it stays on one line and does not control a
 * terminal: control characters become \n or \u00XX, malformed UTF-8 becomes
 * U+FFFD.
 *   quoted   ASCII characters to be preceded by a backslash
 */
void buffer_escape(struct buffer *b, struct text t, const char *quoted);

#endif
