#ifndef ROWCAST_THROTTLE_H
#define ROWCAST_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When to tell the operator of trouble that comes and goes: a damaged page of
 * old events is met by each client that asks for them, and between two of them
 * nothing is wrong.  So what has just been told is not told again for a while;
 * trouble that stays is told then.  Zeroed is a new one.
 */
#define THROTTLE_MS 10000

struct throttle {
	bool is_made;
	int64_t made_ms; /* 0: never */
};

/* There is trouble: is it to be told now?  Counts as told then. */
bool throttle_raise(struct throttle *c, int64_t now_ms);

/* There is none: is that to be told?  Only after trouble that was. */
bool throttle_clear(struct throttle *c);

#endif
