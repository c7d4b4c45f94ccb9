#ifndef ROWCAST_METER_H
#define ROWCAST_METER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The progress of a long command: one line on standard error that is updated in
 * place.  Nothing is printed if standard error is not a terminal.
 *   total    bytes; 0 if unknown
 */
struct meter {
	bool is_shown;
	int64_t total;
	int64_t next_ms; /* private: of the next update */
	bool has_line;   /* private: a line is on the screen */
};

void meter_begin(struct meter *m, int64_t total);

/* Show how many bytes and events are done, at most every 100 ms. */
void meter_show(struct meter *m, int64_t bytes, int64_t events);

/* Remove the line.  Call it before other output. */
void meter_end(struct meter *m);

#endif
