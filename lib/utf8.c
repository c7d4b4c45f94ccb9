/*
 * Well-formed UTF-8.  Every text from outside is checked once, and refused, not
 * repaired; only text that is shown gets replacement characters.  This is the
 * only file that uses libunistring.
 */
#include "utf8.h"

#include <unistr.h>

bool
utf8_is_valid(struct text t)
{
	if (t.len == 0)
		return true;
	/* u8_check() returns the first bad byte, or NULL. */
	return u8_check((const uint8_t *)t.bytes, t.len) == NULL;
}

size_t
utf8_next(struct text t, size_t at, uint32_t *c)
{
	const uint8_t *bytes = (const uint8_t *)t.bytes + at;
	ucs4_t found;
	int len;

	if (bytes[0] < 0x80) {
		*c = bytes[0];
		return 1;
	}
	len = u8_mbtouc(&found, bytes, t.len - at);
	*c = found;
	return (size_t)len;
}
