#ifndef ROWCAST_FUZZ_H
#define ROWCAST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#endif
