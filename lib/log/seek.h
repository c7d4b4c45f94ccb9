#ifndef ROWCAST_SEEK_H
#define ROWCAST_SEEK_H

#include "log.h"
#include "gap.h"
#include "lib/start.h"

/*
 * The search for the place in the log where a stream begins.
 *   start   where to begin, as in struct request
 *   value   likewise; counts down for START_LAST
 *   upto    private, 0 at first
 *   cursor  the result: the stream begins after this id
 *   known   the result: removed events that this stream does not miss
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
	SEEK_AGAIN,   /* not found yet: call again */
	SEEK_BEYOND,  /* value lies beyond the end; cursor is the end */
	SEEK_TROUBLE, /* the log cannot be read: see log_why() */
};

/*
 * Search one page of the log at most.
 *   head     events with id <= head may be read
 */
enum seek_result seek_step(struct log *log, int64_t head,
    const struct filter *f, struct seek *seek);

#endif
