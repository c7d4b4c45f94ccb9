#ifndef ROWCAST_TAP_H
#define ROWCAST_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/event.h"

/*
 * Test programs that speak TAP: one check() per behaviour, `return tap_end();`
 * at the end of main().  Random data comes from tap_random(), whose seed is
 * printed and can be set by the environment variable SEED.
 *   source   testanything.org, version 12
 */

static int tap_count, tap_failures;
static uint64_t tap_state;

#define check(condition, ...) \
	tap_report((condition), __FILE__, __LINE__, #condition, __VA_ARGS__)

__attribute__((format(printf, 5, 6))) static inline bool
tap_report(bool is_ok, const char *file, int line, const char *condition,
    const char *name, ...)
{
	va_list args;

	printf("%sok %d - ", is_ok ? "" : "not ", ++tap_count);
	va_start(args, name);
	(void)vprintf(name, args);
	va_end(args);
	if (!is_ok) {
		tap_failures++;
		printf(" # %s:%d %s", file, line, condition);
	}
	printf("\n");
	(void)fflush(stdout);
	return is_ok;
}

static inline int
tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures > 0;
}

/* Begin the random numbers; the seed is printed so that a failure can be run
   again. */
static inline void
tap_seed(void)
{
	const char *seed = getenv("SEED");
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	tap_state = seed != NULL ?
	    strtoull(seed, NULL, 10) :
	    (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec;
	printf("# SEED=%" PRIu64 "\n", tap_state);
}

/* A number in [0, below); splitmix64, so that any seed will do. */
static inline size_t
tap_random(size_t below)
{
	uint64_t z = (tap_state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (size_t)((z ^ (z >> 31)) % below);
}

/* Up to max random bytes out of an alphabet, on the heap in a block of exactly
   that size, so that a sanitizer sees one byte too far. */
static inline struct text
tap_random_text(const char *alphabet, size_t n_alphabet, size_t max)
{
	size_t len = tap_random(max + 1);
	char *bytes = malloc(len > 0 ? len : 1);

	if (bytes == NULL)
		abort();
	for (size_t i = 0; i < len; i++)
		bytes[i] = alphabet[tap_random(n_alphabet)];
	return (struct text){ bytes, len };
}

/* A copy in such a block. */
static inline struct text
tap_copy_text(struct text t)
{
	char *bytes = malloc(t.len > 0 ? t.len : 1);

	if (bytes == NULL)
		abort();
	if (t.len > 0)
		memcpy(bytes, t.bytes, t.len);
	return (struct text){ bytes, t.len };
}

static inline void
tap_free_text(struct text t)
{
	free((void *)(uintptr_t)t.bytes);
}

/* What a test has seen, as one text; bytes beyond the end are cut off. */
#define TAP_OUT_MAX 65536

struct tap_out {
	size_t len;
	char bytes[TAP_OUT_MAX + 1];
};

static inline void
tap_put(struct tap_out *out, struct text t)
{
	if (t.len > TAP_OUT_MAX - out->len)
		t.len = TAP_OUT_MAX - out->len;
	if (t.len > 0)
		memcpy(out->bytes + out->len, t.bytes, t.len);
	out->len += t.len;
	out->bytes[out->len] = '\0';
}

static inline bool
tap_has_put(const struct tap_out *out, struct text expected)
{
	return text_equal((struct text){ out->bytes, out->len }, expected);
}

/* An event without retry and key. */
static inline struct event
tap_event(int64_t id, struct text topic, struct text name, struct text data)
{
	return (struct event){ .id = id,
		.topic = topic,
		.name = name,
		.data = data,
		.retry_ms = EVENT_NO_RETRY };
}

/* A text from a string literal, which may hold NUL. */
#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })

#endif
