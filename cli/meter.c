/*
 * The progress of a long command.
 */
#include "meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define EVERY_MS 100

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
meter_begin(struct meter *m, int64_t total)
{
	*m = (struct meter){
		.is_shown = isatty(STDERR_FILENO) == 1,
		.total = total,
		.next_ms = now_ms() + EVERY_MS,
	};
}

void
meter_show(struct meter *m, int64_t bytes, int64_t events)
{
	static const char full[] = "####################";
	static const char rest[] = "....................";
	double part = 0;
	int64_t now;
	int cells;

	if (!m->is_shown || (now = now_ms()) < m->next_ms)
		return;
	m->next_ms = now + EVERY_MS;
	m->has_line = true;
	if (m->total > 0)
		part = bytes < m->total ? (double)bytes / (double)m->total : 1;
	cells = (int)(part * (double)(sizeof(full) - 1));
	/* errors are ignored: the line is only informative */
	if (m->total > 0)
		(void)fprintf(stderr,
		    "\r[%.*s%s] %3d %%  %.1f of %.1f MB, %" PRId64
		    " events\033[K",
		    cells, full, rest + cells, (int)(part * 100),
		    part * (double)m->total / 1e6, (double)m->total / 1e6,
		    events);
	else
		(void)fprintf(stderr, "\r%" PRId64 " events, %.1f MB\033[K",
		    events, (double)bytes / 1e6);
}

void
meter_end(struct meter *m)
{
	if (m->has_line)
		(void)fputs("\r\033[K", stderr);
	m->has_line = false;
}
