/*
 * The clock whose time events carry.
 */
#include "clock.h"

#include <time.h>

int64_t
clock_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
clock_wait_until(int64_t ns)
{
	struct timespec t = { ns / 1000000000, (long)(ns % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
		;
}
