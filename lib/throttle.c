/*
 * When to report a problem to the operator.
 */
#include "throttle.h"

bool
throttle_raise(struct throttle *t, int64_t now_ms)
{
	if (t->is_raised ||
	    (t->raised_ms != 0 && now_ms - t->raised_ms < THROTTLE_MS))
		return false;
	t->is_raised = true;
	t->raised_ms = now_ms;
	return true;
}

bool
throttle_clear(struct throttle *t)
{
	bool was_raised = t->is_raised;

	t->is_raised = false;
	return was_raised;
}
