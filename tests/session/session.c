/*
 * session: clients and a publisher that do not give up, over FastCGI.
 *
 *   usage: session LOG RESPONDER-SOCKET RESPONDER-PID PUBLISHER-SOCKET
 *              PUBLISHER-PID [SECONDS]
 *
 * Opens streams with several filters, publishes in all formats, tries again
 * whatever fails, leaves and comes back.  Then each stream must have brought
 * what the log holds for its filter from where it began, each event once and in
 * order, with no word of a gap or a reset; and what was acknowledged must be in
 * the log.  Says, in one line, how often a stream came back, and how often a
 * publish was tried again.
 *
 * Exit status: 0 as it should be; 1 not so, and what; 3 a program is gone.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log/log.h"
#include "tests/oracle/event_source.h"
#include "exchange.h"

#define STREAMS 4
#define LARGE_BYTES 200000

struct seen {
	int64_t id;
	uint64_t hash;
};

struct stream {
	struct exchange x;
	const char *query;
	const char *topic; /* or what it begins with; or NULL */
	const char *name;  /* or NULL */
	struct event_source *es;
	int64_t start;
	struct seen *seen;
	size_t n, capacity;
	size_t expected, at;
	bool is_prefix;
	bool has_started;
};

static struct stream streams[STREAMS] = {
	{ .query = "" },
	{ .query = "topic=a", .topic = "a" },
	{ .query = "topic=b*&event=tick",
	    .topic = "b",
	    .name = "tick",
	    .is_prefix = true },
	{ .query = "since=earliest&topic=old&topic=a*",
	    .topic = "old",
	    .name = NULL },
};

static struct exchange publisher;
static int64_t deadline_ms;

__attribute__((format(printf, 1, 2), noreturn)) static void
wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)printf("\n");
	exit(1);
}

/* ---- streams ---- */

static uint64_t
hash(uint64_t h, struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		h = (h ^ (unsigned char)t.bytes[i]) * 1099511628211U;
	return (h ^ 0xff) * 1099511628211U;
}

static int64_t
integer(struct text t)
{
	char digits[32];

	(void)snprintf(digits, sizeof(digits), "%.*s", (int)t.len, t.bytes);
	return strtoll(digits, NULL, 10);
}

static void
on_block(void *cookie, const struct event_source_block *b)
{
	struct stream *s = cookie;

	if (b->has_id && !s->has_started) {
		s->start = integer(b->id);
		s->has_started = true;
	}
	if (!b->is_event)
		return;
	if (b->type.len > 7 && memcmp(b->type.bytes, "stream-", 7) == 0)
		wrong("stream \"%s\" was told %.*s %.*s", s->query,
		    (int)b->type.len, b->type.bytes, (int)b->data.len,
		    b->data.bytes);
	if (s->n == s->capacity) {
		s->capacity = s->capacity > 0 ? s->capacity * 2 : 64;
		s->seen = realloc(s->seen, s->capacity * sizeof(*s->seen));
	}
	s->seen[s->n++] =
	    (struct seen){ integer(b->id), hash(hash(0, b->type), b->data) };
}

static void
on_stream_bytes(void *cookie, const char *bytes, size_t len)
{
	struct stream *s = cookie;

	if (s->x.status == 200)
		event_source_feed(s->es, bytes, len, on_block, s);
}

static void
open_stream(struct stream *s)
{
	struct text id = event_source_id(s->es);
	char last[32];
	const char *vars[] = { "REQUEST_METHOD", "GET", "QUERY_STRING",
		s->query, "HTTP_LAST_EVENT_ID", last, NULL };

	(void)snprintf(last, sizeof(last), "%.*s", (int)id.len,
	    id.len > 0 ? id.bytes : "");
	if (id.len == 0)
		vars[4] = NULL;
	event_source_reconnect(s->es);
	exchange_ask(&s->x, vars, NULL, 0);
}

static void
run_streams(void)
{
	for (size_t i = 0; i < STREAMS; i++) {
		struct stream *s = &streams[i];

		exchange_go_on(&s->x, on_stream_bytes, s);
		if (s->x.is_over)
			open_stream(s);
	}
}

/* ---- turns ---- */

static void
tell_streams(void)
{
	for (size_t i = 0; i < STREAMS; i++)
		(void)printf("stream \"%s\": %zu of %zu events, status %d;"
			     " ",
		    streams[i].query, streams[i].n, streams[i].expected,
		    streams[i].x.status);
}

/* Wait a little for anything, then let all go on. */
static void
turn(const char *what)
{
	struct pollfd polls[STREAMS + 1];

	for (size_t i = 0; i <= STREAMS; i++) {
		struct exchange *x = i < STREAMS ? &streams[i].x : &publisher;

		polls[i].fd = x->fd;
		polls[i].events =
		    (short)(POLLIN | (x->out_at < x->out_len ? POLLOUT : 0));
	}
	(void)poll(polls, STREAMS + 1, 5);
	run_streams();
	if (exchange_now_ms() > deadline_ms) {
		tell_streams();
		wrong("no end to %s", what);
	}
}

/* ---- publishing ---- */

struct body {
	const char *type;
	char *bytes;
	size_t len;
	size_t events;
};

static void
on_answer(void *cookie, const char *bytes, size_t len)
{
	(void)cookie, (void)bytes, (void)len; /* the log says it */
}

/* Until it is answered with a status of this kind: 2 or 4. */
static void
publish(const struct body *b, int kind)
{
	const char *token = getenv("ROWCAST_PUBLISH_TOKEN");
	char length[32], authorization[100];
	const char *vars[] = { "REQUEST_METHOD", "POST", "QUERY_STRING", "",
		"CONTENT_TYPE", b->type, "CONTENT_LENGTH", length,
		"HTTP_AUTHORIZATION", authorization, NULL };

	(void)snprintf(authorization, sizeof(authorization), "Bearer %s",
	    token != NULL ? token : "");
	(void)snprintf(length, sizeof(length), "%zu", b->len);
	do {
		exchange_ask(&publisher, vars, b->bytes, b->len);
		while (!publisher.is_over) {
			exchange_go_on(&publisher, on_answer, NULL);
			turn(b->type);
		}
		if (publisher.is_whole && publisher.status >= 400 &&
		    publisher.status < 500 && publisher.status / 100 != kind)
			wrong("%s is answered %d: %.300s", b->type,
			    publisher.status, publisher.head);
	} while (!publisher.is_whole || publisher.status / 100 != kind);
}

static char large[LARGE_BYTES + 1];
static char text[LARGE_BYTES + 1000];

static void
publish_all(void)
{
	struct body b = { .bytes = text };

#define SAY(kind, ...)    \
	(b.type = (kind), \
	    b.len = (size_t)snprintf(text, sizeof(text), __VA_ARGS__))
	SAY("application/x-www-form-urlencoded",
	    "topic=a&data=form&key=k%%2F1");
	publish(&b, 2);
	SAY("application/json",
	    "{\"topic\":\"b1\",\"event\":\"tick\",\"data\":\"json\","
	    "\"key\":\"k2\"}");
	publish(&b, 2);
	SAY("application/json",
	    "[{\"topic\":\"a\",\"data\":\"a1\",\"key\":\"k3\"},"
	    "{\"topic\":\"b2\",\"event\":\"tick\",\"data\":\"a2\"},"
	    "{\"topic\":\"ab\",\"data\":\"a3\\nof two lines\"}]");
	publish(&b, 2);
	/* a client that leaves, and comes back */
	exchange_hang_up(&streams[0].x);
	SAY("application/x-ndjson",
	    "{\"topic\":\"a\",\"data\":\"l1\",\"key\":\"k4\"}\n"
	    "{\"topic\":\"b\",\"event\":\"tick\",\"data\":\"l2\"}\n"
	    "{\"topic\":\"a2\",\"data\":\"l3\",\"key\":\"k5\"}\n");
	publish(&b, 2);
	SAY("text/event-stream", "event: tick\ndata: s1\n\ndata: s2\n\n");
	publish(&b, 2);
	SAY("application/x-www-form-urlencoded", "topic=a&key=k6&data=%s",
	    large);
	publish(&b, 2);
	SAY("application/json", "{\"data\":");
	publish(&b, 4);
	SAY("text/plain", "last");
	publish(&b, 2);
#undef SAY
}

/* ---- the log ---- */

struct tally {
	int64_t head;
	unsigned kept; /* of what was acknowledged */
};

static bool
begins(struct text t, const char *with)
{
	return t.len >= strlen(with) &&
	    memcmp(t.bytes, with, strlen(with)) == 0;
}

static bool
wants(const struct stream *s, const struct event *e)
{
	if (e->id <= s->start ||
	    (s->name != NULL &&
		(!begins(e->name, s->name) || e->name.len != strlen(s->name))))
		return false;
	if (s == &streams[3]) /* a list */
		return begins(e->topic, "a") ||
		    (begins(e->topic, "old") && e->topic.len == 3);
	return s->topic == NULL ||
	    (begins(e->topic, s->topic) &&
		(s->is_prefix || e->topic.len == strlen(s->topic)));
}

static bool
on_row(void *cookie, const struct event *e)
{
	static const char *const published[] = { "form", "json", "a1", "a2",
		"a3\nof two lines", "l1", "l2", "l3", "s1", "s2", large,
		"last" };
	struct tally *t = cookie;

	for (unsigned i = 0; i < sizeof(published) / sizeof(*published); i++)
		if (e->data.len == strlen(published[i]) &&
		    begins(e->data, published[i]))
			t->kept |= 1U << i;
	for (size_t i = 0; i < STREAMS; i++) {
		struct stream *s = &streams[i];

		if (!wants(s, e))
			continue;
		s->expected++;
		if (s->at == s->n)
			continue;
		if (s->seen[s->at].id != e->id)
			wrong("stream \"%s\" brought id %" PRId64
			      " where the log has %" PRId64,
			    s->query, s->seen[s->at].id, e->id);
		if (s->seen[s->at++].hash != hash(hash(0, e->name), e->data))
			wrong("stream \"%s\" brought another event %" PRId64,
			    s->query, e->id);
	}
	t->head = e->id;
	return true;
}

static bool
have_all(const char *path)
{
	const struct log_options options = { .path = path, .busy_ms = 10000 };
	struct log_range range = { .upto = INT64_MAX, .max_rows = 1000000 };
	struct tally t = { 0 };
	char why[LOG_WHY_MAX];
	struct log *log;
	int64_t reached;
	bool are_all = true;

	if (log_open(&options, &log, why) != LOG_OK ||
	    log_read(log, &range, on_row, &t, &reached) != LOG_OK)
		wrong("the log cannot be read: %s",
		    log == NULL ? why : log_why(log));
	log_close(log);
	if (t.kept != 0xfff)
		wrong("not all that was acknowledged is in the log: %x",
		    t.kept);
	for (size_t i = 0; i < STREAMS; i++) {
		if (streams[i].n > streams[i].expected)
			wrong("stream \"%s\" brought more than there is",
			    streams[i].query);
		are_all = are_all && streams[i].n == streams[i].expected;
	}
	return are_all;
}

static size_t
seen_in_all(void)
{
	size_t n = 0;

	for (size_t i = 0; i < STREAMS; i++)
		n += streams[i].n;
	return n;
}

static void
wait_for_all(const char *path)
{
	size_t seen = SIZE_MAX;

	for (;;) {
		if (seen != seen_in_all()) {
			seen = seen_in_all();
			for (size_t i = 0; i < STREAMS; i++)
				streams[i].at = streams[i].expected = 0;
			if (have_all(path))
				return;
		}
		turn("what is to come");
	}
}

int
main(int argc, char **argv)
{
	unsigned tries = 0;

	if (argc < 6)
		return 2;
	deadline_ms = exchange_now_ms() +
	    (argc > 6 ? strtol(argv[6], NULL, 10) : 20) * 1000;
	memset(large, 'x', LARGE_BYTES);
	publisher =
	    (struct exchange){ .socket = argv[4], .pid = argv[5], .fd = -1 };
	for (size_t i = 0; i < STREAMS; i++) {
		struct stream *s = &streams[i];

		s->x = (struct exchange){ .socket = argv[2],
			.pid = argv[3],
			.fd = -1 };
		s->es = event_source_new();
		open_stream(s);
	}
	for (size_t i = 0; i < STREAMS; i++)
		while (!streams[i].has_started)
			turn("the beginning");
	publish_all();
	wait_for_all(argv[1]);
	for (size_t i = 0; i < STREAMS; i++)
		tries += streams[i].x.tries;
	(void)printf("came back %u, tried again %u\n", tries - STREAMS - 1,
	    publisher.tries - 8);
	return 0;
}
