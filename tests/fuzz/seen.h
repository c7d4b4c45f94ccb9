#ifndef ROWCAST_FUZZ_SEEN_H
#define ROWCAST_FUZZ_SEEN_H

#include "fuzz.h"

/*
 * Compares an event with what a browser receives of it.
 */

/* Is type what a browser makes of name: all up to a line end, or "message" if
   that is empty? */
static inline bool
seen_type_is(struct text type, struct text name)
{
	size_t len = 0;

	while (len < name.len && name.bytes[len] != '\r' &&
	    name.bytes[len] != '\n')
		len++;
	if (len == 0)
		return text_equal(type, (struct text){ "message", 7 });
	return text_equal(type, (struct text){ name.bytes, len });
}

/* Is seen what a browser makes of data, with LF for every line end? */
static inline bool
seen_data_is(struct text seen, struct text data)
{
	size_t at = 0;

	for (size_t i = 0; i < data.len; i++) {
		char c = data.bytes[i];

		if (c == '\n' && i > 0 && data.bytes[i - 1] == '\r')
			continue;
		if (at == seen.len ||
		    seen.bytes[at++] != (c == '\r' ? '\n' : c))
			return false;
	}
	return at == seen.len;
}

#endif
