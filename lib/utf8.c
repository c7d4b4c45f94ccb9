/*
 * Well-formed UTF-8: the gate that every text from outside passes once.
 * The only file that knows libunistring.  It judges and never repairs, but for
 * what is only shown.
 */
#include "utf8.h"

#include <unistr.h>

bool
utf8_is_valid(struct text t)
{
	if (t.len == 0)
		return true;
	/* u8_check() gives back where the first bad byte is, or NULL. */
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
