#ifndef ROWCAST_SEEK_H
#define ROWCAST_SEEK_H

#include "log.h"
#include "lib/filter.h"
#include "gap.h"
#include "lib/start.h"

/*
 * Looking for the place in the log where a stream begins, some pages at a time.
 *   start   what is asked for, as in struct request
 *   value   likewise; counts down for START_LAST
 *   upto    private, 0 at first
 *   cursor  the result: the stream begins after this id
 *   known   what is gone and not missed by who begins here
 */
struct seek {
	enum start start;
	int64_t value;
	int64_t upto;
	int64_t cursor;
	struct gap_known known;
};

enum seek_result {
	SEEK_FOUND,   /* cursor and known are set */
	SEEK_AGAIN,   /* there is more to look through: call again */
	SEEK_BEYOND,  /* value lies beyond the end; cursor is the end */
	SEEK_TROUBLE, /* the log cannot be read; log_why() says why */
};

/*
 * One step, of at most a page.
 *   head     all events with id <= head may be looked at
 */
enum seek_result seek_step(struct log *log, int64_t head,
    const struct filter *f, struct seek *seek);

/*
 * Narrow a range to the topics of a filter that is exact.
 *   owns     topics is lent to range
 */
void seek_narrow(struct log_range *range, const struct filter *f,
    struct text topics[LOG_TOPICS_MAX]);

#endif
