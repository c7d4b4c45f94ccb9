/*
 * streamed: bodies that are published as they come give the same events however
 * they are cut into pieces; and what sse_encode() writes is read back equal.
 */
#include "tap.h"

#include "lib/body/body.h"
#include "lib/sse.h"

#define BOUND 1000

/* The events of a body, as text; and the problem that ended it. */
struct result {
	struct tap_out out;
	size_t n;
	int status;
	char detail[400];
	bool is_unfinished;
};

static struct log *json;

static void
put(struct result *r, struct text t)
{
	tap_put(&r->out, t);
	tap_put(&r->out, TEXT("|"));
}

static void
take_events(struct body *s, struct result *r)
{
	const struct event *e;
	char number[64];
	size_t n;

	e = body_events(s, &n);
	for (size_t i = 0; i < n; i++) {
		put(r, e[i].topic);
		put(r, e[i].name);
		put(r, e[i].data);
		put(r, e[i].key);
		(void)snprintf(number, sizeof(number), "%d %d",
		    (int)e[i].retry_ms, (int)body_line(s, i));
		put(r, text_of(number));
	}
	r->n += n;
	body_clear(s);
}

/* Each piece in a heap block of its size, so that a sanitizer sees more. */
static int
take_piece(struct body *s, struct text piece, struct problem *p)
{
	struct text copy = tap_copy_text(piece);
	int result = body_take(s, copy.bytes, copy.len, p);

	tap_free_text(copy);
	return result;
}

static const char *stream_query = "topic=t&key=k/";

/* Feed a body in pieces that end at random, or of one size. */
static void
feed(enum media media, struct text body, size_t size, struct result *r)
{
	struct problem p = { 0 };
	const struct body_options options = {
		.media = media,
		.length = -1,
		.query = media == MEDIA_NDJSON ? NULL : stream_query,
		.max_bytes = BOUND,
		.limit_name = "--max",
	};
	struct body *s = body_new(&options, json, &p);
	size_t at = 0;
	int result = 0;

	memset(r, 0, sizeof(*r));
	if (s == NULL)
		abort();
	while (at < body.len && result == 0) {
		size_t n = size > 0 ? size : (size_t)tap_random(7) + 1;

		if (n > body.len - at)
			n = body.len - at;
		result = take_piece(s, (struct text){ body.bytes + at, n }, &p);
		at += n;
		take_events(s, r);
	}
	if (result == 0) {
		result = body_end(s, &p);
		take_events(s, r);
	}
	if (result != 0) {
		r->status = p.status;
		(void)snprintf(r->detail, sizeof(r->detail), "%s", p.detail);
	}
	r->is_unfinished = body_facts(s)->is_unfinished;
	body_free(s);
}

static bool
is_same(const struct result *a, const struct result *b)
{
	return a->n == b->n &&
	    tap_has_put(&a->out, (struct text){ b->out.bytes, b->out.len }) &&
	    a->status == b->status && strcmp(a->detail, b->detail) == 0 &&
	    a->is_unfinished == b->is_unfinished;
}

/* However it is cut, it gives what it gives in one piece. */
static bool
is_same_in_pieces(enum media media, struct text body, struct result *whole)
{
	static struct result r;

	feed(media, body, body.len, whole);
	for (size_t size = 1; size <= 9; size++) {
		feed(media, body, size, &r);
		if (!is_same(whole, &r)) {
			printf("# size %zu: %s\n", size, r.out.bytes);
			return false;
		}
	}
	for (int i = 0; i < 50; i++) {
		feed(media, body, 0, &r);
		if (!is_same(whole, &r))
			return false;
	}
	return true;
}

static void
check_lines(void)
{
	static struct result r;

	check(is_same_in_pieces(MEDIA_NDJSON,
		  TEXT("{\"data\":\"a\"}\r\n\n \n{\"data\":1,\"key\":\"k\"}\n"
		       "{\"data\":\"\xc3\xa4\",\"topic\":\"t\"}"),
		  &r) &&
		r.n == 3 && r.status == 0 &&
		strcmp(r.out.bytes,
		    "|message|a||-1 1||message|1|k|-1 "
		    "4|t|message|\xc3\xa4||-1 5|") == 0,
	    "lines: the same events in pieces of any size");
	check(is_same_in_pieces(MEDIA_NDJSON, TEXT("\n \t\r\n\r\n  "), &r) &&
		r.n == 0 && r.status == 0,
	    "lines: blank ones are no events");
	check(is_same_in_pieces(MEDIA_NDJSON, TEXT("{\"data\":1}\n \0\n"),
		  &r) &&
		r.n == 1 && r.status == 400 &&
		strncmp(r.detail, "Line 2: ", 8) == 0,
	    "lines: one with a NUL is not blank");
	check(is_same_in_pieces(MEDIA_NDJSON,
		  TEXT("{\"data\":\"a\"}\n{\"data\":\n{\"data\":\"b\"}\n"),
		  &r) &&
		r.n == 1 && r.status == 400 &&
		strncmp(r.detail, "Line 2: ", 8) == 0,
	    "lines: a problem names its line, what was before it counts");
	check(is_same_in_pieces(MEDIA_NDJSON,
		  TEXT("\xef\xbb\xbf{\"data\":1}\n"), &r) &&
		r.n == 0 && r.status == 400,
	    "lines: a byte order mark is not JSON");
}

static void
check_streams(void)
{
	static struct result r;

	check(is_same_in_pieces(MEDIA_EVENT_STREAM,
		  TEXT("\xef\xbb\xbf:\r\rid: 1\r\ndata: a\r\ndata: b\r\n\r\n"
		       "data\n\nevent: stream-gap\ndata: x\n\n"
		       "retry: 5\revent: e\rdata:c\r\rdata: cut"),
		  &r) &&
		r.n == 3 && r.status == 0 &&
		strcmp(r.out.bytes,
		    "t|message|a\nb|k/1|-1 3|t|message|||-1 7|t|e|c||5 12|") ==
		    0,
	    "streams: the same events in pieces of any size");
	check(is_same_in_pieces(MEDIA_EVENT_STREAM,
		  TEXT("data: a\r\n\ndata: b\n\r\n"), &r) &&
		r.n == 2,
	    "streams: a CRLF in two pieces, and an LF behind it");
	check(is_same_in_pieces(MEDIA_EVENT_STREAM,
		  TEXT("data: a\n\ndata: \xff\n\n"), &r) &&
		r.n == 1 && r.status == 400,
	    "streams: what is not UTF-8 is refused, what was before counts");
}

static void
check_keys(void)
{
	static struct result r;
	char query[5 + EVENT_NAME_MAX] = "key=";
	const char body[] = "id:1\ndata\n\nid:2\ndata\n\ndata\n\n"
			    "id:3\ndata\n\nid:4\ndata\n\nid:5\ndata\n\n";

	stream_query = query;
	check(is_same_in_pieces(MEDIA_EVENT_STREAM, TEXT(body), &r) &&
		r.n == 6 && strncmp(r.out.bytes, "|message||1|-1 ", 15) == 0,
	    "streams: with an empty key, ids are the keys");
	memset(query + 4, 'k', EVENT_NAME_MAX);
	check(is_same_in_pieces(MEDIA_EVENT_STREAM, TEXT(body), &r) &&
		r.n == 6 && r.status == 0,
	    "streams: the longest key in each of the shortest events");
	stream_query = "topic=t&key=k/";
}

/* Does this body, however it is cut, have one event and leave another? */
static bool
leaves_one(struct text body)
{
	static struct result r;

	return is_same_in_pieces(MEDIA_EVENT_STREAM, body, &r) && r.n == 1 &&
	    r.is_unfinished;
}

static bool
leaves_none(struct text body)
{
	static struct result r;

	return is_same_in_pieces(MEDIA_EVENT_STREAM, body, &r) && r.n == 1 &&
	    !r.is_unfinished;
}

static void
check_unfinished(void)
{
	check(leaves_one(TEXT("data: a\n\ndata: b\n")) &&
		leaves_one(TEXT("data: a\n\ndata: b")) &&
		leaves_one(TEXT("data: a\r\n\r\nid: 1\r\ndata\r\n")) &&
		leaves_one(TEXT("data: a\n\ndata: b\nid: 2\n")),
	    "streams: an event without an end is told of");
	check(leaves_none(TEXT("data: a\n\n")) &&
		leaves_none(TEXT("data: a\r\n\r\n")) &&
		leaves_none(TEXT("data: a\r\r")) &&
		leaves_none(TEXT("data: a\n\n: comment\nid: 5\n")) &&
		leaves_none(TEXT("data: a\n\nevent: stream-gap\ndata: x\n")),
	    "streams: what would have been no event is not");
}

static void
check_length(void)
{
	char body[3000];
	static struct result r;

	memset(body, 'x', sizeof(body));
	memcpy(body, "data: a\n\n", 9);
	feed(MEDIA_EVENT_STREAM, (struct text){ body, sizeof(body) }, 0, &r);
	check(r.n == 1 && r.status == 413 &&
		strstr(r.detail, "Line 3: ") != NULL,
	    "streams: an event over the bound is refused before its end");
	memcpy(body, "{\"data\":1}\n", 11);
	feed(MEDIA_NDJSON, (struct text){ body, sizeof(body) }, 0, &r);
	check(r.n == 1 && r.status == 413 &&
		strstr(r.detail, "Line 2: ") != NULL,
	    "lines: one over the bound is refused before its end");
}

/* A bound is a bound, wherever CR and LF come apart. */
static void
check_length_in_pieces(void)
{
	static const char *const ends[] = { "\n\n", "\r\r", "\r\n\r\n",
		"\r\n:\r\n\r\n", "\r\n\r", "\r\n" };
	char body[BOUND + 20];
	static struct result r;
	bool is_good = true;

	memset(body, 'x', sizeof(body));
	memcpy(body, "data: ", 6);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (size_t len = BOUND - 8; len < BOUND + 4; len++) {
			size_t end = strlen(ends[i]);

			memcpy(body + len, ends[i], end);
			is_good = is_good &&
			    is_same_in_pieces(MEDIA_EVENT_STREAM,
				(struct text){ body, len + end }, &r);
			memset(body + len, 'x', end);
		}
	check(is_good, "streams: the bound is the same in pieces");
}

/* Each byte is searched once, also where all line ends are CR. */
static void
check_time(void)
{
	size_t len = 1 << 21;
	char *body = malloc(len);
	static struct result r;
	clock_t began = clock();

	if (body == NULL)
		abort();
	memset(body, '\r', len);
	feed(MEDIA_EVENT_STREAM, (struct text){ body, len }, len, &r);
	check(r.status == 0 && clock() - began < 2 * CLOCKS_PER_SEC,
	    "streams: the time is linear in the number of CRs");
	free(body);
}

/* Any text that the log can hold: line ends are what a stream cannot keep. */
static struct text
random_text(char *out, size_t max, bool has_lines)
{
	static const char *const parts[] = { "a", ":", " ", "data", "\xc3\xa4",
		"id: 1", "\n", "\n\n", "," };
	size_t len = 0, n = has_lines ? 9 : 6;

	out[0] = '\0';
	while (len + 8 < max && tap_random(6) != 0) {
		const char *part = parts[tap_random((uint32_t)n)];

		memcpy(out + len, part, strlen(part));
		len += strlen(part);
	}
	return (struct text){ out, len };
}

/* Encoded as a stream, then read back. */
static bool
comes_back(void)
{
	static struct result r;
	char data[200], name[60], encoded[2000];
	struct event e = { .id = 42, .retry_ms = EVENT_NO_RETRY };
	char expected[600];
	size_t len;

	e.data = random_text(data, sizeof(data), true);
	e.name = random_text(name, sizeof(name), false);
	if (e.name.len == 0 || name[0] == ' ')
		e.name = (struct text){ "message", 7 };
	len = sse_encode(&e, encoded);
	feed(MEDIA_EVENT_STREAM, (struct text){ encoded, len }, 0, &r);
	(void)snprintf(expected, sizeof(expected), "t|%.*s|%.*s|k/42|-1 1|",
	    (int)e.name.len, e.name.bytes, (int)e.data.len, e.data.bytes);
	if (r.n == 1 && strcmp(r.out.bytes, expected) == 0)
		return true;
	printf("# %s\n# %s\n", expected, r.out.bytes);
	return false;
}

int
main(void)
{
	bool is_ok = true;

	json = log_open_memory();
	if (json == NULL)
		abort();
	check_lines();
	check_streams();
	check_keys();
	check_unfinished();
	check_length();
	check_length_in_pieces();
	check_time();
	for (int i = 0; i < 3000 && is_ok; i++)
		is_ok = comes_back();
	check(is_ok, "streams: what sse_encode() writes is read back equal");
	log_close(json);
	return tap_end();
}
