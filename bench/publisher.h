#ifndef ROWCAST_BENCH_PUBLISHER_H
#define ROWCAST_BENCH_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

/*
 * A thread that publishes "SEQ TIME padding" at a rate: rows committed one by
 * one into a log, or one POST after the other to a server.
 *   db         path of a log, or NULL
 *   no_sync    into the log with synchronous=NORMAL, not FULL
 *   post       http://HOST:PORT/PATH, or NULL
 *   before     what a POST carries in front of the data, and after it
 *   topic      published to; or topics > 0: to t0, t1 ... in turn
 *   rate       events a second, evenly spread; late ones are made up for
 *   size       bytes of data
 *   first_seq  of the first event
 *   fill_page  rows of a transaction when a log is filled
 *   bulk_rows  > 0: behind each event, so many of bulk_size bytes to the topics
 *              b0 ... b(bulk_topics - 1) in turn, committed together
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

/* NULL with a line on stderr if it cannot start. */
struct publisher *publisher_start(const struct publisher_options *o);

bool publisher_is_done(struct publisher *p);

/*
 * Wait for the end.
 *   took      how long each commit or POST took
 *   finished  when commit or POST i was over, for as many as were published
 *   returns   how many were published, -1 if one was refused
 *   owns      *finished is the caller's to free; may be NULL
 */
int64_t publisher_join(struct publisher *p, struct histogram *took,
    int64_t **finished);

/*
 * Append n events to a log, fill_page to a transaction, with 0 for TIME: nobody
 * is to take them for fresh.
 *   took     how long each transaction took
 *   returns  0; -1 with a line on stderr
 */
int publisher_fill(const struct publisher_options *o, int64_t n,
    struct histogram *took);

#endif
