#ifndef ROWCAST_METER_H
#define ROWCAST_METER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How far a long command has come: one line on standard error that is written
 * again and again, if that is a terminal; else nothing.
 *   total    bytes; 0 if nobody knows
 */
struct meter {
	bool is_shown;
	int64_t total;
	int64_t next_ms; /* private: not before */
	bool has_line;   /* likewise */
};

void meter_begin(struct meter *m, int64_t total);

/* Some bytes have been done, and so many events; cheap. */
void meter_show(struct meter *m, int64_t bytes, int64_t events);

/* Take the line away: something else is to be said. */
void meter_end(struct meter *m);

#endif
