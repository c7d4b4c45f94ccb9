/*
 * complaint: when the operator is told of trouble.
 */
#include "tap.h"

#include "../../lib/complaint.h"

/* Trouble at each look for a minute, with good looks between or without. */
static int
told_in_a_minute(bool is_good_between)
{
	struct complaint c = { 0 };
	int told = 0;

	for (int64_t ms = 1000; ms < 61000; ms += 100) {
		if (complaint_begins(&c, ms))
			told++;
		if (is_good_between)
			(void)complaint_ends(&c);
	}
	return told;
}

int
main(void)
{
	struct complaint c = { 0 };

	check(!complaint_ends(&c), "no end of what has not begun");
	check(complaint_begins(&c, 1), "the first time, even early after boot");
	check(!complaint_begins(&c, 2), "not twice");
	check(complaint_ends(&c), "its end");
	check(!complaint_ends(&c), "not twice");
	check(!complaint_begins(&c, 3), "not again at once");
	check(!complaint_ends(&c), "nor the end of that");
	check(complaint_begins(&c, 1 + COMPLAINT_MS), "again after a while");
	check(told_in_a_minute(false) == 1, "trouble that stays: once");
	check(told_in_a_minute(true) == 6, "that comes and goes: now and then");
	return tap_end();
}
