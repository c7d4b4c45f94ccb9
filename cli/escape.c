/*
 * Text of any bytes, escaped for display.  Runs that need no escaping are copied
 * at once.
 */
#include "escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"

#define ESCAPE_MAX 8
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

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
escape_text(struct buffer *b, struct text t, const char *quoted)
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
