#ifndef ROWCAST_FUZZ_H
#define ROWCAST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/event.h"

/* What libFuzzer calls for each input; 0 is "keep it if it is interesting". */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() that no NDEBUG takes away. */
#define require(condition) \
	((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

static inline void
fuzz_fail(const char *file, int line, const char *condition)
{
	(void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}

/* A copy of exactly that size, so that one byte too far is seen. */
static inline void *
fuzz_copy(const void *bytes, size_t len)
{
	void *copy = malloc(len > 0 ? len : 1);

	require(copy != NULL);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

/*
 * Choices that a target makes, drawn from the front of the input: bytes become
 * operations, and any change to them still makes sense.  When it is used up,
 * every choice is 0.
 */
struct choices {
	const uint8_t *bytes;
	size_t len;
};

static inline uint8_t
choose_byte(struct choices *c)
{
	if (c->len == 0)
		return 0;
	c->len--;
	return *c->bytes++;
}

/* Below 256, if that is all that is wanted: one byte; else three. */
static inline size_t
choose(struct choices *c, size_t below)
{
	size_t n = choose_byte(c);

	if (below > 256) {
		n = n << 8 | choose_byte(c);
		n = n << 8 | choose_byte(c);
	}
	return n % below;
}

/* Up to max bytes as they stand in the input, lent by it. */
static inline struct text
choose_text(struct choices *c, size_t max)
{
	struct text t = { NULL, choose(c, max + 1) };

	t.bytes = (const char *)c->bytes;
	if (t.len > c->len)
		t.len = c->len;
	c->bytes += t.len;
	c->len -= t.len;
	return t;
}

#endif
