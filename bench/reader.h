#ifndef ROWCAST_BENCH_READER_H
#define ROWCAST_BENCH_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

/*
 * Parses the bytes of one stream, and counts and checks its events.  Removes
 * the framing (HTTP with or without chunks, or FastCGI records) and reads lines
 * "data: SEQ TIME ...": SEQ must increase by one; TIME is when the event was
 * published (CLOCK_MONOTONIC, ns), 0 if that was before the run.
 */
enum reader_framing { READER_HTTP, READER_FCGI };

/* Results of all streams. */
struct reader_totals {
	uint64_t events;
	uint64_t lost;
	uint64_t repeated; /* or out of order */
	uint64_t broken;   /* framing that could not be read */
	uint64_t bytes;
	struct histogram latency;
	int64_t *arrivals; /* by SEQ, if not NULL; for one stream only */
	int64_t n_arrivals;
};

#define READER_LINE_MAX 256 /* longer lines are cut: the rest is padding */
struct reader {
	enum reader_framing framing;
	uint8_t state; /* private */
	bool is_chunked;
	bool is_open; /* the head of the response is complete */
	bool is_broken;
	int64_t events;     /* received so far */
	int64_t next;       /* SEQ expected; -1: any */
	int64_t only_every; /* step of SEQ (topics in turn) */
	size_t left;        /* bytes of this chunk or record */
	size_t skip;        /* padding behind it */
	size_t line_len;
	uint8_t header[8]; /* of a record */
	char line[READER_LINE_MAX];
};

void reader_init(struct reader *r, enum reader_framing framing);

/* Takes bytes that were received at a time (ns); adds to totals. */
void reader_take(struct reader *r, const char *bytes, size_t len, int64_t now,
    struct reader_totals *totals);

#endif
