#ifndef ROWCAST_BENCH_OPTIONS_H
#define ROWCAST_BENCH_OPTIONS_H

#include <sys/types.h>

#include "publisher.h"
#include "target.h"

/*
 * The command line of the load client.
 *   queries  NULL, or lines: the query of stream i begins with line
 *            i % n_queries
 *   topics   > 0: stream i follows topic t(i % topics)
 *   prefix   of the names of these topics, instead of t
 *   after    >= 0: streams reconnect with Last-Event-ID
 *            after + i * stride % spread
 *   events   > 0: publish nothing; each stream receives this number of events,
 *            and more if the spread has it begin earlier
 *   firsts   > 0: open this number of streams one after the other, each until
 *            its first event; without after, until its answer begins
 *   fill     > 0: only append this number of events to the log, and time it
 *   opening  the most streams that wait for an answer at the same time
 *   settle   pause after all streams are open, before idle begins
 *   stall    time for which open streams do not read
 */
#define OPTIONS_PIDS_MAX 8
struct options {
	struct target target;
	struct publisher_options publisher;
	const char *query;
	char **queries;
	int64_t n_queries;
	int64_t streams;
	int64_t topics;
	const char *prefix;
	int64_t after;
	int64_t spread;
	int64_t stride;
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

/* Prints the usage and exits if the command line is wrong. */
void options_read(int argc, char **argv, struct options *o);

#endif
