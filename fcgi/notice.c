/*
 * The blocks of a stream that are not events of the log.  They carry all that a
 * client must know, since EventSource cannot read headers.
 */
#include "notice.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "lib/sse.h"

#define NUMBERS_MAX 200 /* ten of an int64_t */
#define TIME_MAX 32

_Static_assert(sizeof(REPLY_STREAM_HEADERS SSE_START SSE_HELLO SSE_RESET SSE_GAP
		       SSE_KEEPALIVE SSE_CURSOR SSE_RETRY) +
	    CORS_MAX + EVENT_NAME_MAX + TIME_MAX + NUMBERS_MAX <=
	BATCH_TEXT_MAX,
    "all notices fit into the text of a batch");

/* The server's time, for pages that show how far their clock is off. */
static void
write_hello(const struct notices *n, struct batch *b)
{
	struct timespec now;
	char text[TIME_MAX];
	size_t len;
	struct tm tm;

	if (n->greeting->hello[0] == '\0')
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S",
	    gmtime_r(&now.tv_sec, &tm));
	(void)snprintf(text + len, sizeof(text) - len, ".%03ldZ",
	    now.tv_nsec / 1000000);
	batch_say(b, SSE_HELLO, n->greeting->hello, b->at.cursor, text);
}

void
notice_write(const struct notices *n, struct batch *b)
{
	b->notices = n->due;
	if (n->due & NOTICE_START) {
		assert(n->greeting != NULL); /* nothing has been sent yet */
		batch_say(b, REPLY_STREAM_HEADERS SSE_START,
		    n->greeting->headers, n->greeting->retry_ms, b->at.cursor);
		b->at.last_id = b->at.cursor;
		write_hello(n, b);
	}
	if (n->due & NOTICE_RESET) {
		batch_say(b, SSE_RESET, b->at.cursor, n->reset_after,
		    b->at.cursor);
		b->at.last_id = b->at.cursor;
	}
	if (n->due & NOTICE_GAP)
		batch_say(b, SSE_GAP, n->gap_after, n->gap_next);
	if (n->due & NOTICE_KEEPALIVE) {
		batch_say(b, SSE_KEEPALIVE);
		/* a reconnection need not search again the events that this
		   stream has passed over */
		if (b->at.last_id < b->at.cursor) {
			batch_say(b, SSE_CURSOR, b->at.cursor);
			b->at.last_id = b->at.cursor;
		}
	}
	if (n->due & NOTICE_END && n->end_ms >= 0)
		batch_say(b, SSE_RETRY, n->end_ms);
}

void
notice_write_refusal(const struct notices *n, struct batch *b)
{
	b->notices = NOTICE_END;
	batch_say(b, REPLY_RETRY, n->greeting->headers,
	    "The log cannot be read now.", n->greeting->retry_ms);
}
