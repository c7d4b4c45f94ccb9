/*
 * notice: the blocks of a stream that are not events of the log.
 */
#include "tap.h"

#include "fcgi/notice.h"

#define HEADERS                                     \
	"Status: 200 OK\r\n"                        \
	"Content-Type: text/event-stream\r\n"       \
	"Cache-Control: no-cache, no-transform\r\n" \
	"X-Accel-Buffering: no\r\n"

static struct batch b;

/* Does a client that is here get this text, and know this id then? */
static bool
writes(const struct notices *n, const struct position *at, const char *text,
    int64_t told)
{
	batch_begin(&b, at);
	notice_write(n, &b);
	return text_is((struct text){ b.text, b.text_len }, text) &&
	    b.len == b.text_len && b.n == (b.len > 0 ? 2 : 1) &&
	    b.notices == n->due && b.at.last_id == told &&
	    b.at.cursor == at->cursor;
}

static void
check_start(void)
{
	struct greeting greeting = { .headers = "Vary: Origin\r\n",
		.retry_ms = 3000 };
	struct notices n = { .due = NOTICE_START, .greeting = &greeting };
	struct position at = { .cursor = 7 };

	check(writes(&n, &at,
		  HEADERS "Vary: Origin\r\n\r\nretry: 3000\nid: 7\n\n", 7),
	    "a stream begins with headers, retry and id");
	memset(greeting.hello, 'h', EVENT_NAME_MAX);
	memset(greeting.headers, 'x', sizeof(greeting.headers) - 1);
	n = (struct notices){ .due = NOTICE_START | NOTICE_RESET | NOTICE_GAP |
		    NOTICE_KEEPALIVE | NOTICE_END,
		.greeting = &greeting,
		.reset_after = INT64_MIN,
		.gap_after = INT64_MIN,
		.gap_next = INT64_MIN,
		.end_ms = INT64_MAX };
	greeting.retry_ms = at.cursor = INT64_MIN;
	at.last_id = INT64_MIN;
	batch_begin(&b, &at);
	notice_write(&n, &b);
	check(b.text_len > 1000 && b.text_len < BATCH_TEXT_MAX,
	    "the longest text of all notices fits");
	greeting = (struct greeting){ .retry_ms = 5 };
	batch_begin(&b, &at);
	notice_write_refusal(&n, &b);
	check(b.notices == NOTICE_END &&
		text_is((struct text){ b.text, b.text_len },
		    HEADERS "\r\n: The log cannot be read now.\n"
			    "retry: 5\n\n"),
	    "a refusal is a stream that says when to reconnect");
}

static void
check_notices(void)
{
	struct notices n = { .reset_after = 9, .gap_after = 2, .gap_next = 5 };
	struct position at = { .cursor = 4, .last_id = 3 };

	check(writes(&n, &at, "", 3), "none are due: no text");
	n.due = NOTICE_GAP;
	check(writes(&n, &at,
		  "event: stream-gap\ndata: {\"after\":2,\"next\":5}\n\n", 3),
	    "a gap has no id");
	n.due = NOTICE_GAP | NOTICE_RESET;
	check(writes(&n, &at,
		  "event: stream-reset\nid: 4\n"
		  "data: {\"after\":9,\"head\":4}\n\n"
		  "event: stream-gap\ndata: {\"after\":2,\"next\":5}\n\n",
		  4),
	    "a reset has one, and goes before it");
	n.due = NOTICE_KEEPALIVE;
	check(writes(&n, &at, ":\n\nid: 4\n\n", 4),
	    "a keepalive gives an id that the client does not know");
	at.last_id = 4;
	check(writes(&n, &at, ":\n\n", 4), "or is a comment alone");
	n.due = NOTICE_END;
	n.end_ms = 0;
	check(writes(&n, &at, "retry: 0\n\n", 4), "an end says when to return");
	n.end_ms = -1;
	check(writes(&n, &at, "", 4), "or nothing");
}

int
main(void)
{
	check_start();
	check_notices();
	return tap_end();
}
