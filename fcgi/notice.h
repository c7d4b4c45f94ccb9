#ifndef ROWCAST_NOTICE_H
#define ROWCAST_NOTICE_H

#include "lib/event.h"
#include "batch.h"
#include "reply.h"

/* Notices are the blocks of a stream that are not events of the log.  All that
   are due are sent before the next event, in this order. */
enum notice {
	NOTICE_START = 1, /* headers, reconnection time, cursor, greeting */
	NOTICE_RESET = 2, /* the log is another one */
	NOTICE_GAP = 4,   /* events are missing */
	NOTICE_KEEPALIVE = 8,
	NOTICE_END = 16, /* reconnect later */
};

/* How a stream begins. */
struct greeting {
	char headers[CORS_MAX];
	char hello[EVENT_NAME_MAX + 1]; /* an event name, or "" for none */
	int64_t retry_ms;               /* the reconnection time */
};

/*
 *   due          the notices to be sent: bits of enum notice
 *   greeting     for NOTICE_START
 *   reset_after  for NOTICE_RESET
 *   gap_after, gap_next  for NOTICE_GAP
 *   end_ms       for NOTICE_END: reconnection time; -1: as sent before
 */
struct notices {
	unsigned due;
	const struct greeting *greeting;
	int64_t reset_after;
	int64_t gap_after;
	int64_t gap_next;
	int64_t end_ms;
};

/* Write the notices that are due at the beginning of a batch.  Sets b->notices
   and b->at.last_id. */
void notice_write(const struct notices *n, struct batch *b);

/* Write the whole response to a client that cannot be served now, but can
   reconnect soon. */
void notice_write_refusal(const struct notices *n, struct batch *b);

#endif
