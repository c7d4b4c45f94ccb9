/*
 * The world around a program.  libuv and the programs call clock_gettime(),
 * which this file replaces.
 */
#include "world.h"

#include <sys/syscall.h>

#include <time.h>
#include <unistd.h>

#include "lib/warn.h"
#include "fuzz.h"

#define RUNS_MAX 1000 /* more would be a busy loop */

static int64_t now_ns = INT64_C(1000000000000);

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's */

int
clock_gettime(clockid_t clock, struct timespec *t)
{
	if (clock == CLOCK_REALTIME)
		return (int)syscall(SYS_clock_gettime, clock, t);
	t->tv_sec = now_ns / 1000000000;
	t->tv_nsec = (long)(now_ns % 1000000000);
	return 0;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

void
world_pass_ms(int64_t ms)
{
	now_ns += ms * 1000000;
}

void
world_run(uv_loop_t *loop)
{
	/* active idle handles would keep it running for ever */
	for (int i = 0; i < 16; i++)
		(void)uv_run(loop, UV_RUN_NOWAIT);
}

void
world_end(uv_loop_t *loop)
{
	int runs = 0;

	while (uv_run(loop, UV_RUN_NOWAIT) != 0)
		require(++runs < RUNS_MAX);
	require(uv_loop_close(loop) == 0);
}

/* In place of lib/warn.c. */
void
warn_line(const char *format, ...)
{
	(void)format;
}
