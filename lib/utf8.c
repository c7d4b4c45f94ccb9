/*
 * Well-formed UTF-8: the gate that every text from outside passes once.
 * The only file that knows libunistring.  It judges and never repairs.
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
