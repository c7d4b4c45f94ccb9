#ifndef ROWCAST_THROTTLE_H
#define ROWCAST_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Throttles the warnings of a problem that comes and goes, such as a damaged
 * page that only some clients read: at most one in THROTTLE_MS.  Begins as 0.
 * Pure.
 */
#define THROTTLE_MS 10000

struct throttle {
	bool is_raised;
	int64_t raised_ms; /* 0: never */
};

/* There is a problem.  Returns whether to report it now; it then counts as
   reported. */
static inline bool
throttle_raise(struct throttle *t, int64_t now_ms)
{
	if (t->is_raised ||
	    (t->raised_ms != 0 && now_ms - t->raised_ms < THROTTLE_MS))
		return false;
	*t = (struct throttle){ true, now_ms };
	return true;
}

/* There is no problem.  Returns whether to report that: only after a problem
   was reported. */
static inline bool
throttle_clear(struct throttle *t)
{
	bool was_raised = t->is_raised;

	t->is_raised = false;
	return was_raised;
}

#endif
