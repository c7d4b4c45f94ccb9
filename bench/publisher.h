#ifndef ROWCAST_BENCH_PUBLISHER_H
#define ROWCAST_BENCH_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

/*
 * A thread that publishes "SEQ TIME padding" at a rate: it commits rows to a
 * log one by one, or sends one POST after the other to a server.
 *   db         path of the log, or NULL
 *   no_sync    commit with synchronous=NORMAL, not FULL
 *   post       http://HOST:PORT/PATH, or NULL
 *   before     the body of a POST before the data; after: behind it
 *   topic      the topic; if topics > 0, it is t0, t1 ... in turn
 *   rate       events a second, evenly spread; catches up when late
 *   size       bytes of data
 *   first_seq  SEQ of the first event
 *   fill_page  rows of a transaction of publisher_fill()
 *   bulk_rows  > 0: commit with each event this number of rows of bulk_size
 *              bytes, with topics b0 ... b(bulk_topics - 1) in turn
 */
struct publisher_options {
	const char *db;
	bool no_sync;
	const char *post;
	const char *before;
	const char *after;
	const char *topic;
	int64_t topics;
	char prefix; /* private */
	double rate;
	double seconds;
	size_t size;
	int64_t first_seq;
	int64_t fill_page;
	int64_t bulk_rows;
	int64_t bulk_topics;
	size_t bulk_size;
};

struct publisher;

/* Returns NULL, with a line on stderr, if it cannot start. */
struct publisher *publisher_start(const struct publisher_options *o);

bool publisher_is_done(struct publisher *p);

/*
 * Waits for the end.
 *   took      the time of each commit or POST is added to it
 *   finished  set to an array: when commit or POST i was complete
 *   returns   the number published; -1 if one was refused
 *   owns      the caller frees *finished; finished may be NULL
 */
int64_t publisher_join(struct publisher *p, struct histogram *took,
    int64_t **finished);

/*
 * Appends n events to a log, fill_page in a transaction.  Their TIME is 0, so
 * that they do not count as latencies.
 *   took     the time of each transaction is added to it
 *   returns  0; -1 with a line on stderr
 */
int publisher_fill(const struct publisher_options *o, int64_t n,
    struct histogram *took);

#endif
