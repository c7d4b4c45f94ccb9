/*
 * complaint: when the operator is told of trouble.
 */
#include "tap.h"

#include "lib/throttle.h"

/* Trouble at each look for a minute, with good looks between or without. */
static int
told_in_a_minute(bool is_good_between)
{
	struct throttle c = { 0 };
	int told = 0;

	for (int64_t ms = 1000; ms < 61000; ms += 100) {
		if (throttle_raise(&c, ms))
			told++;
		if (is_good_between)
			(void)throttle_clear(&c);
	}
	return told;
}

int
main(void)
{
	struct throttle c = { 0 };

	check(!throttle_clear(&c), "no end of what has not begun");
	check(throttle_raise(&c, 1), "the first time, even early after boot");
	check(!throttle_raise(&c, 2), "not twice");
	check(throttle_clear(&c), "its end");
	check(!throttle_clear(&c), "not twice");
	check(!throttle_raise(&c, 3), "not again at once");
	check(!throttle_clear(&c), "nor the end of that");
	check(throttle_raise(&c, 1 + THROTTLE_MS), "again after a while");
	check(told_in_a_minute(false) == 1, "trouble that stays: once");
	check(told_in_a_minute(true) == 6, "that comes and goes: now and then");
	return tap_end();
}
