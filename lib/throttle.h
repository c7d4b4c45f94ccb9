#ifndef ROWCAST_THROTTLE_H
#define ROWCAST_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Throttles warnings of a problem that comes and goes: each client that asks
 * for old events meets a damaged page, and between two of them all is well.  A
 * problem is reported at most once in THROTTLE_MS.  Begins as 0.
 */
#define THROTTLE_MS 10000

struct throttle {
	bool is_raised;
	int64_t raised_ms; /* 0: never */
};

/* There is a problem.  Returns whether to report it now; it then counts as
   reported. */
bool throttle_raise(struct throttle *t, int64_t now_ms);

/* There is no problem.  Returns whether to report that: only after a problem
   was reported. */
bool throttle_clear(struct throttle *t);

#endif
