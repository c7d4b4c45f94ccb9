#ifndef ROWCAST_NEWS_H
#define ROWCAST_NEWS_H

#include "lib/log/log.h"
#include "tail.h"

/*
 * The result of one step through the log: new events, which lie in the tail,
 * and topics of which events are missing.
 *   runs     the new events in id order: entries from..to-1 of each chunk.
 *            They fill a chunk and go on in the next, so two runs suffice
 *   removed  topics of which events were removed before they could be read, or
 *            are huge: streams read them from the log; topic.bytes is NULL if
 *            that may concern any topic
 *   n_huge   the number of huge events, 0 or 1
 *   holes    the highest id removed unread; 0 if none was
 *   last     the last id read
 */
#define NEWS_RUNS_MAX 2
#define NEWS_REMOVED_MAX 64
struct news {
	struct news_run {
		const struct chunk *chunk;
		size_t from, to;
	} runs[NEWS_RUNS_MAX];
	size_t n_runs;
	struct text removed[NEWS_REMOVED_MAX];
	size_t n_removed;
	size_t n_huge;
	int64_t holes;
	int64_t last;
	char texts[NEWS_REMOVED_MAX][EVENT_NAME_MAX]; /* private */
};

enum news_result {
	NEWS_MORE,      /* there may be more rows */
	NEWS_END,       /* the tail is at the end of the log */
	NEWS_BACK,      /* the log ends before the tail: it was set back */
	NEWS_NO_MEMORY, /* there is no memory for the next event */
	NEWS_TROUBLE,   /* the log cannot be read; log_why() says why */
};

void news_clear(struct news *n);

/*
 * Read the next rows of a log into a tail: at most as many as fit into one
 * record, or one that is larger than a record.  A huge one is left in the log,
 * and the tail begins after it.  Call it in a read transaction.
 *   returns  NEWS_MORE or NEWS_END after success.  Else the head of the tail is
 *            as before.  After NEWS_BACK, *head is the end of the log
 *            *rows grows by the number of rows read, in any case
 *   owns     n lends chunks until the tail is next changed
 */
enum news_result news_read(struct news *n, struct log *log, struct tail *tail,
    int64_t *head, uint64_t *rows);

#endif
