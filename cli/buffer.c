/*
 * A growing buffer.
 */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

#define FIRST_BYTES 4096
#define ESCAPE_MAX 8
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void
buffer_free(struct buffer *b)
{
	free(b->bytes);
	*b = (struct buffer){ 0 };
}

void
buffer_clear(struct buffer *b)
{
	b->len = 0;
	b->is_short = false;
}

char *
buffer_room(struct buffer *b, size_t len)
{
	size_t cap = b->cap > 0 ? b->cap : FIRST_BYTES;
	char *grown;

	if (b->is_short)
		return NULL;
	if (b->bytes == NULL || len > b->cap - b->len) {
		while (len > cap - b->len && cap <= SIZE_MAX / 4)
			cap *= 2;
		grown = len > cap - b->len ? NULL : realloc(b->bytes, cap);
		if (grown == NULL) {
			b->is_short = true;
			return NULL;
		}
		b->bytes = grown;
		b->cap = cap;
	}
	b->len += len;
	return b->bytes + b->len - len;
}

void
buffer_add(struct buffer *b, const char *bytes, size_t len)
{
	char *room = buffer_room(b, len);

	if (room != NULL && len > 0)
		memcpy(room, bytes, len);
}

void
buffer_add_string(struct buffer *b, const char *string)
{
	buffer_add(b, string, strlen(string));
}

void
buffer_print(struct buffer *b, const char *format, ...)
{
	va_list args, again;
	char *room = NULL;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len >= 0)
		room = buffer_room(b, (size_t)len + 1);
	if (room != NULL) {
		(void)vsnprintf(room, (size_t)len + 1, format, again);
		b->len--; /* without the NUL */
	}
	va_end(again);
	va_end(args);
}

/* Write the escape of a character; "" if it needs none. */
static void
escape(uint32_t c, const char *quoted, char out[ESCAPE_MAX])
{
	out[0] = '\0';
	if (c == '\n')
		(void)snprintf(out, ESCAPE_MAX, "\\n");
	else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		(void)snprintf(out, ESCAPE_MAX, "\\u%04x", (unsigned)c);
	else if (c < 0x80 && strchr(quoted, (int)c) != NULL)
		(void)snprintf(out, ESCAPE_MAX, "\\%c", (int)c);
	else if (c == UTF8_REPLACEMENT)
		(void)snprintf(out, ESCAPE_MAX, REPLACEMENT);
}

void
buffer_escape(struct buffer *b, struct text t, const char *quoted)
{
	size_t done = 0, at = 0;

	while (at < t.len) {
		char out[ESCAPE_MAX];
		uint32_t c;
		size_t len = utf8_next(t, at, &c);

		escape(c, quoted, out);
		if (out[0] != '\0') {
			buffer_add(b, t.bytes + done, at - done);
			buffer_add_string(b, out);
			done = at + len;
		}
		at += len;
	}
	if (at > done)
		buffer_add(b, t.bytes + done, at - done);
}
