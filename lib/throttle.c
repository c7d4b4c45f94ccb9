/*
 * When to tell the operator of trouble.
 */
#include "throttle.h"

bool
throttle_raise(struct throttle *c, int64_t now_ms)
{
	if (c->is_made ||
	    (c->made_ms != 0 && now_ms - c->made_ms < THROTTLE_MS))
		return false;
	c->is_made = true;
	c->made_ms = now_ms;
	return true;
}

bool
throttle_clear(struct throttle *c)
{
	bool was_made = c->is_made;

	c->is_made = false;
	return was_made;
}
