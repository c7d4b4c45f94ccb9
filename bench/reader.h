#ifndef ROWCAST_BENCH_READER_H
#define ROWCAST_BENCH_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

/*
 * One stream's bytes, as they come from a server → events counted and checked.
 * Takes off the framing (HTTP with or without chunks, or FastCGI records) and
 * reads "data: SEQ TIME ..." lines: SEQ must go up by one, TIME is when it was
 * published (CLOCK_MONOTONIC, ns), or 0: long ago.
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
	bool is_open; /* the head of the response has come */
	bool is_broken;
	int64_t events;     /* that have come */
	int64_t next;       /* SEQ expected; -1: any */
	int64_t only_every; /* SEQ goes up by so much (topics in turn) */
	size_t left;        /* bytes of this chunk or record */
	size_t skip;        /* padding behind it */
	size_t line_len;
	uint8_t header[8]; /* of a record, while it comes */
	char line[READER_LINE_MAX];
};

void reader_init(struct reader *r, enum reader_framing framing);

/* Take bytes that have come at a time (ns); totals are added to. */
void reader_take(struct reader *r, const char *bytes, size_t len, int64_t now,
    struct reader_totals *totals);

#endif
