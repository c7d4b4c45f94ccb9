#ifndef ROWCAST_BENCH_OPTIONS_H
#define ROWCAST_BENCH_OPTIONS_H

#include <sys/types.h>

#include "publisher.h"
#include "target.h"

/*
 * What the load client is to do, from its command line.
 *   topics   > 0: stream i follows topic t(i % topics)
 *   prefix   of these topics, instead of t
 *   after    >= 0: streams come back with Last-Event-ID after + i % spread
 *   events   > 0: each stream is to get so many + what the spread leaves it
 *            more of, instead of publishing
 *   firsts   > 0: so many streams one after the other, each only until its
 *            first event
 *   fill     > 0: append so many events to the log, time it, and that is all
 *   opening  at most so many streams wait for an answer at a time
 *   settle   after all are open, before idle begins
 *   stall    once they are open, streams do not read for so long
 */
#define OPTIONS_PIDS_MAX 8
struct options {
	struct target target;
	struct publisher_options publisher;
	const char *query;
	int64_t streams;
	int64_t topics;
	const char *prefix;
	int64_t after;
	int64_t spread;
	int64_t events;
	int64_t firsts;
	int64_t fill;
	int64_t opening;
	double settle_s;
	double idle_s;
	double stall_s;
	double timeout_s;
	struct {
		char name[32];
		pid_t pid;
	} pids[OPTIONS_PIDS_MAX];
	int n_pids;
};

/* Exits with a usage if the command line is not right. */
void options_read(int argc, char **argv, struct options *o);

#endif
