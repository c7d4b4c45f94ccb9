/*
 * The progress of a long command.
 */
#include "meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define EVERY_MS 100
#define BAR_CELLS 20
#define LINE_MAX_BYTES 160

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Errors are ignored: the line is only informative. */
static void
print(const char *line)
{
	(void)fputs(line, stderr);
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
	char line[LINE_MAX_BYTES], bar[BAR_CELLS + 1];
	int64_t now;
	int cells;

	if (!m->is_shown || (now = now_ms()) < m->next_ms)
		return;
	m->next_ms = now + EVERY_MS;
	m->has_line = true;
	if (m->total <= 0) {
		(void)snprintf(line, sizeof(line),
		    "\r%" PRId64 " events, %.1f MB\033[K", events,
		    (double)bytes / 1e6);
		print(line);
		return;
	}
	if (bytes > m->total)
		bytes = m->total;
	cells = (int)((double)bytes / (double)m->total * BAR_CELLS);
	for (int i = 0; i < BAR_CELLS; i++)
		bar[i] = i < cells ? '#' : '.';
	bar[BAR_CELLS] = '\0';
	(void)snprintf(line, sizeof(line),
	    "\r[%s] %3d %%  %.1f of %.1f MB, %" PRId64 " events\033[K", bar,
	    (int)((double)bytes / (double)m->total * 100), (double)bytes / 1e6,
	    (double)m->total / 1e6, events);
	print(line);
}

void
meter_end(struct meter *m)
{
	if (m->has_line)
		print("\r\033[K");
	m->has_line = false;
}
