#ifndef ROWCAST_COLLISIONS_H
#define ROWCAST_COLLISIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/text.h"

/*
 * 65,536 texts that have one hash, if the hash has no secret: the hash is Bob
 * Jenkins' of 1996 with a fixed start value, as uthash uses it by default.
 *
 * It takes 12 bytes at a time into a state of three words.  Whatever the first
 * 12 bytes of a stage are, the other 12 bytes can be computed so that the stage
 * ends in a given state; of those, the printable ones are used.  Four stages
 * with 16 texts each, in all combinations, give the texts.
 */
#define COLLISIONS_STAGES 4
#define COLLISIONS_PER_STAGE 16
#define COLLISIONS_STAGE_BYTES 24
#define COLLISIONS_BYTES (COLLISIONS_STAGES * COLLISIONS_STAGE_BYTES)
#define COLLISIONS_TEXTS 65536

struct collisions_state {
	uint32_t a, b, c;
};

/* One mixing step, and 12 bytes into it. */
static inline struct collisions_state
collisions_mix(struct collisions_state s)
{
	static const int shifts[3][3] = { { 13, 8, 13 }, { 12, 16, 5 },
		{ 3, 10, 15 } };

	for (int i = 0; i < 3; i++) {
		s.a = (s.a - s.b - s.c) ^ s.c >> shifts[i][0];
		s.b = (s.b - s.c - s.a) ^ s.a << shifts[i][1];
		s.c = (s.c - s.a - s.b) ^ s.b >> shifts[i][2];
	}
	return s;
}

static inline uint32_t
collisions_word(const char *bytes)
{
	const unsigned char *b = (const unsigned char *)bytes;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	    (uint32_t)b[3] << 24;
}

static inline struct collisions_state
collisions_take(struct collisions_state s, const char *bytes)
{
	s.a += collisions_word(bytes);
	s.b += collisions_word(bytes + 4);
	s.c += collisions_word(bytes + 8);
	return collisions_mix(s);
}

#define COLLISIONS_START \
	((struct collisions_state){ 0x9e3779b9, 0x9e3779b9, 0xfeedbeef })

/* The hash of texts whose length is a multiple of 12. */
static inline uint32_t
collisions_hash(const char *bytes, size_t len)
{
	struct collisions_state s = COLLISIONS_START;

	for (size_t at = 0; at < len; at += 12)
		s = collisions_take(s, bytes + at);
	s.c += (uint32_t)len;
	return collisions_mix(s).c;
}

/* Write the word that leads from one value to another by addition; returns
   whether it is printable ASCII. */
static inline bool
collisions_solve(uint32_t from, uint32_t to, char *bytes)
{
	uint32_t word = to - from;
	bool is_printable = true;

	for (int i = 0; i < 4; i++) {
		bytes[i] = (char)(word >> 8 * i & 0xff);
		is_printable =
		    is_printable && bytes[i] >= ' ' && bytes[i] <= '~';
	}
	return is_printable;
}

/* One stage: texts that lead from one state to the same state.  Returns the
   state. */
static inline struct collisions_state
collisions_stage(struct collisions_state from,
    char texts[COLLISIONS_PER_STAGE][COLLISIONS_STAGE_BYTES],
    struct text before)
{
	/* what the second step begins with; any three words would do */
	const struct collisions_state to = { 0x6c6f7461, 0x74656c6c,
		0x626f7468 };
	uint64_t number = 0;

	for (size_t n = 0; n < COLLISIONS_PER_STAGE; number++) {
		struct collisions_state s;
		char *out = texts[n];

		memset(out, 'a', 12);
		if (before.len > 0)
			memcpy(out, before.bytes, before.len);
		/* 24 bits, in the last six bytes of the first step */
		for (size_t i = 0; i < 6; i++)
			out[11 - i] = (char)('a' + (number >> 4 * i & 15));
		s = collisions_take(from, out);
		n += collisions_solve(s.a, to.a, out + 12) &&
		    collisions_solve(s.b, to.b, out + 16) &&
		    collisions_solve(s.c, to.c, out + 20);
	}
	return collisions_mix(to);
}

struct collisions {
	char stages[COLLISIONS_STAGES][COLLISIONS_PER_STAGE]
		   [COLLISIONS_STAGE_BYTES];
};

/* Make texts that all begin with before, which has at most 5 bytes. */
static inline void
collisions_make(struct collisions *c, struct text before)
{
	struct collisions_state s = COLLISIONS_START;

	for (size_t i = 0; i < COLLISIONS_STAGES; i++) {
		s = collisions_stage(s, c->stages[i], before);
		before.len = 0;
	}
}

/* Write the text with a number. */
static inline void
collisions_text(const struct collisions *c, size_t number,
    char bytes[COLLISIONS_BYTES])
{
	for (size_t i = 0; i < COLLISIONS_STAGES; i++) {
		memcpy(bytes + i * COLLISIONS_STAGE_BYTES,
		    c->stages[i][number % COLLISIONS_PER_STAGE],
		    COLLISIONS_STAGE_BYTES);
		number /= COLLISIONS_PER_STAGE;
	}
}

#endif
