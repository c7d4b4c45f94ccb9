/*
 * sse: events as text/event-stream.
 * The property test feeds what was encoded to a parser written from the text
 * of the WHATWG standard (HTML, 9.2.6 "Interpreting an event stream") and
 * expects the same events back.
 */
#include "tap.h"

#include "lib/sse.h"

#define OUT_MAX 4096

static bool
encodes_as(const struct event *e, struct text expected)
{
	char out[OUT_MAX];
	size_t len = sse_encode(e, out);

	return len == sse_len(e) &&
	    text_equal((struct text){ out, len }, expected);
}

static void
check_fields(void)
{
	struct event e = tap_event(42, TEXT(""), TEXT("message"), TEXT("hi"));

	check(encodes_as(&e, TEXT("id: 42\ndata: hi\n\n")),
	    "the usual name is left out");
	e.name = TEXT("tick");
	e.retry_ms = 10000;
	check(encodes_as(&e,
		  TEXT("id: 42\nevent: tick\nretry: 10000\ndata: hi\n\n")),
	    "id, event, retry, data");
	e.retry_ms = 0;
	check(encodes_as(&e,
		  TEXT("id: 42\nevent: tick\nretry: 0\ndata: hi\n\n")),
	    "a retry of 0 is written");
	e = tap_event(42, TEXT(""), TEXT("message"), TEXT("hi"));
	e.id = INT64_MAX;
	check(encodes_as(&e, TEXT("id: 9223372036854775807\ndata: hi\n\n")),
	    "the highest id");
	e.id = INT64_MIN;
	check(encodes_as(&e, TEXT("id: -9223372036854775808\ndata: hi\n\n")),
	    "the lowest id");
	e.id = 0;
	check(encodes_as(&e, TEXT("id: 0\ndata: hi\n\n")), "an id of 0");
	e = tap_event(42, TEXT(""), TEXT("messages"), TEXT("hi"));
	check(encodes_as(&e, TEXT("id: 42\nevent: messages\ndata: hi\n\n")),
	    "a name that begins with the usual one");
	e = tap_event(42, TEXT(""), TEXT("x"), TEXT("hi"));
	e.topic = TEXT("t\nid: 1");
	e.key = TEXT("k\nid: 1");
	check(encodes_as(&e, TEXT("id: 42\nevent: x\ndata: hi\n\n")),
	    "topic and key are not sent");
}

static void
check_data(void)
{
	static const struct {
		struct text data, lines;
		const char *name;
	} cases[] = {
		{ { "", 0 }, { "data: \n", 7 }, "empty data: one empty line" },
		{ { NULL, 0 }, { "data: \n", 7 }, "no bytes: one empty line" },
		{ { "a\nb", 3 }, { "data: a\ndata: b\n", 16 }, "LF" },
		{ { "a\rb", 3 }, { "data: a\ndata: b\n", 16 }, "CR" },
		{ { "a\r\nb", 4 }, { "data: a\ndata: b\n", 16 },
		    "CRLF is one" },
		{ { "a\n\rb", 4 }, { "data: a\ndata: \ndata: b\n", 23 },
		    "LF CR are two" },
		{ { "\r\r\n", 3 }, { "data: \ndata: \ndata: \n", 21 },
		    "CR CRLF are two" },
		{ { "a\n", 2 }, { "data: a\ndata: \n", 15 },
		    "LF at the end opens an empty line" },
		{ { "a\r", 2 }, { "data: a\ndata: \n", 15 },
		    "CR at the end opens an empty line" },
		{ { "\n", 1 }, { "data: \ndata: \n", 14 }, "LF alone" },
		{ { " a", 2 }, { "data:  a\n", 9 }, "a leading space is kept" },
		{ { ":a: b", 5 }, { "data: :a: b\n", 12 }, "colons" },
		{ { "a\0b", 3 }, { "data: a\0b\n", 10 }, "NUL" },
		{ { "a\n\nid: 1\n\n", 10 },
		    { "data: a\ndata: \ndata: id: 1\ndata: \ndata: \n", 41 },
		    "data that looks like fields" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct event e =
		    tap_event(42, TEXT(""), TEXT("message"), cases[i].data);
		char expected[200] = "id: 42\n";
		size_t len = strlen(expected);

		memcpy(expected + len, cases[i].lines.bytes,
		    cases[i].lines.len);
		len += cases[i].lines.len;
		expected[len++] = '\n';
		check(encodes_as(&e, (struct text){ expected, len }),
		    "data: %s", cases[i].name);
	}
}

static void
check_names(void)
{
	struct event e =
	    tap_event(42, TEXT(""), TEXT("ab\ndata: forged"), TEXT("hi"));
	struct text cut = TEXT("id: 42\nevent: ab\ndata: hi\n\n");

	check(encodes_as(&e, cut), "a name is cut before LF");
	e.name = TEXT("ab\rdata: forged");
	check(encodes_as(&e, cut), "a name is cut before CR");
	e.name = TEXT("ab\r\n\n");
	check(encodes_as(&e, cut), "a name is cut before CRLF");
	e.name = TEXT("ab\n\r");
	check(encodes_as(&e, cut), "a name is cut before the first of both");
	e.name = TEXT("message\nid: 1");
	check(encodes_as(&e, TEXT("id: 42\ndata: hi\n\n")),
	    "a name that is the usual one once cut");
}

/* ---- a parser of our own, from the standard ---- */

/* One event as the browser would dispatch it. */
struct seen {
	char last_id[64];
	char type[64];
	char data[OUT_MAX];
	size_t type_len, data_len;
	int64_t retry_ms;
};

/* What has been read of the event that is not complete yet. */
struct parser {
	struct seen buffers;
	struct seen *events;
	size_t n_events;
};

/* "If the field name is ...": 9.2.6. */
static void
process_field(struct parser *p, struct text name, struct text value)
{
	struct seen *b = &p->buffers;

	if (text_equal(name, TEXT("event"))) {
		memcpy(b->type, value.bytes, value.len);
		b->type_len = value.len;
	} else if (text_equal(name, TEXT("data"))) {
		memcpy(b->data + b->data_len, value.bytes, value.len);
		b->data_len += value.len;
		b->data[b->data_len++] = '\n';
	} else if (text_equal(name, TEXT("id"))) {
		if (memchr(value.bytes, '\0', value.len) == NULL) {
			memcpy(b->last_id, value.bytes, value.len);
			b->last_id[value.len] = '\0';
		}
	} else if (text_equal(name, TEXT("retry"))) {
		int64_t ms = 0;

		for (size_t i = 0; i < value.len; i++) {
			if (value.bytes[i] < '0' || value.bytes[i] > '9')
				return;
			ms = ms * 10 + (value.bytes[i] - '0');
		}
		b->retry_ms = ms;
	}
}

/* "dispatch the event": 9.2.6. */
static void
dispatch(struct parser *p)
{
	struct seen *b = &p->buffers;

	if (b->data_len > 0) {
		b->data_len--; /* the last LF */
		if (b->type_len == 0) {
			memcpy(b->type, "message", 7);
			b->type_len = 7;
		}
		p->events[p->n_events++] = *b;
	}
	b->type_len = b->data_len = 0;
	b->retry_ms = EVENT_NO_RETRY; /* here: of this event */
}

static void
process_line(struct parser *p, const char *line, size_t len)
{
	size_t colon = 0, value;

	if (len == 0) {
		dispatch(p);
		return;
	}
	while (colon < len && line[colon] != ':')
		colon++;
	if (colon == 0)
		return; /* a comment */
	value = colon < len ? colon + 1 : len;
	if (value < len && line[value] == ' ')
		value++;
	process_field(p, (struct text){ line, colon },
	    (struct text){ line + value, len - value });
}

/* The events of a stream; what is not ended by a blank line is discarded. */
static size_t
parse_stream(const char *s, size_t len, struct seen *events)
{
	struct parser p = { .events = events };
	size_t begin = 0;

	p.buffers.retry_ms = EVENT_NO_RETRY;
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '\r' && s[i] != '\n')
			continue;
		process_line(&p, s + begin, i - begin);
		if (s[i] == '\r' && i + 1 < len && s[i + 1] == '\n')
			i++;
		begin = i + 1;
	}
	return p.n_events;
}

/* ---- the property ---- */

/* What JavaScript gets for data: every line end has become LF. */
static size_t
with_lf(struct text data, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < data.len; i++) {
		if (data.bytes[i] == '\n' && i > 0 && data.bytes[i - 1] == '\r')
			continue;
		out[len++] = data.bytes[i] == '\r' ? '\n' : data.bytes[i];
	}
	return len;
}

static bool
is_seen(const struct event *e, const struct seen *s)
{
	char id[32], data[OUT_MAX];
	size_t data_len = with_lf(e->data, data), name_len = 0;
	struct text name = e->name;

	while (name_len < name.len && name.bytes[name_len] != '\r' &&
	    name.bytes[name_len] != '\n')
		name_len++;
	name.len = name_len;
	if (name.len == 0)
		name = TEXT("message");
	(void)snprintf(id, sizeof id, "%" PRId64, e->id);
	return strcmp(s->last_id, id) == 0 && s->retry_ms == e->retry_ms &&
	    text_equal((struct text){ s->type, s->type_len }, name) &&
	    text_equal((struct text){ s->data, s->data_len },
		(struct text){ data, data_len });
}

static struct event
random_event(void)
{
	static const char letters[] = "ab: \r\n\r\n\r\n\0";
	static const char fields[] = "id: datevnry\n\r";

	return (struct event){
		.id = (int64_t)tap_random(SIZE_MAX),
		.name = tap_random(3) > 0 ?
		    tap_random_text("ab: \r\n", 6, 1 + tap_random(9)) :
		    tap_random_text("", 1, 0),
		.data = tap_random(2) > 0 ?
		    tap_random_text(letters, sizeof letters - 1, 30) :
		    tap_random_text(fields, sizeof fields - 1, 60),
		.retry_ms = tap_random(2) > 0 ? EVENT_NO_RETRY :
						(int64_t)tap_random(100000),
	};
}

/* Several random events after one another come back as they were. */
static bool
comes_back(size_t n)
{
	static char stream[3 * OUT_MAX];
	static struct seen seen[300];
	struct event events[3];
	size_t len = 0;
	bool is_good;

	for (size_t i = 0; i < n; i++) {
		size_t promised;
		char *exact;

		events[i] = random_event();
		promised = sse_len(&events[i]);
		exact = malloc(promised); /* one byte more is seen by ASan */
		if (exact == NULL || sse_encode(&events[i], exact) != promised)
			abort();
		memcpy(stream + len, exact, promised);
		len += promised;
		free(exact);
	}
	is_good = parse_stream(stream, len, seen) == n;
	for (size_t i = 0; i < n; i++) {
		is_good = is_good && is_seen(&events[i], &seen[i]);
		tap_free_text(events[i].name);
		tap_free_text(events[i].data);
	}
	return is_good && memchr(stream, '\r', len) == NULL;
}

static bool
round_trips(void)
{
	for (int i = 0; i < 50000; i++)
		if (!comes_back(1 + tap_random(3)))
			return false;
	return true;
}

/* Where CR and LF meet, nothing is left to chance. */
static bool
all_line_ends_come_back(void)
{
	static const char letters[] = "a\r\n";
	static const size_t codes = 2187; /* 3 to the power of 7 */
	static struct seen seen[20];
	char data[7], out[200];

	for (size_t code = 0; code < codes; code++) {
		size_t rest = code;

		for (size_t i = 0; i < sizeof data; i++, rest /= 3)
			data[i] = letters[rest % 3];
		for (size_t len = 0; len <= sizeof data; len++) {
			struct event e = tap_event(42, TEXT(""),
			    TEXT("message"), (struct text){ data, len });
			size_t out_len = sse_encode(&e, out);

			if (parse_stream(out, out_len, seen) != 1 ||
			    !is_seen(&e, &seen[0]))
				return false;
		}
	}
	return true;
}

/* The parts of an event, cut anywhere, are the event. */
static bool
parts_join(void)
{
	static char whole[8 * 2000 + 400], joined[sizeof(whole)];
	struct event e = random_event(), part;
	struct text data;
	size_t len, from = 0, at = 0;

	tap_free_text(e.data);
	e.data = data = tap_random_text("aaaaaaaa\r\n", 10, 2000);
	len = sse_encode(&e, whole);
	while (from < data.len) {
		size_t n = 2 + tap_random(900), taken;

		if (n > data.len - from)
			n = data.len - from;
		part = e;
		part.data =
		    tap_copy_text((struct text){ data.bytes + from, n });
		at += sse_encode_part(&part, from, data.len, joined + at,
		    SSE_PART_MIN + tap_random(300), &taken);
		tap_free_text(part.data);
		if (taken == 0 || taken > n)
			return false;
		from += taken;
	}
	len = data.len > 0 ? len : at; /* an empty event has no parts */
	tap_free_text(data);
	tap_free_text(e.name);
	return at == len && memcmp(whole, joined, len) == 0;
}

static bool
all_parts_join(void)
{
	for (int i = 0; i < 5000; i++)
		if (!parts_join())
			return false;
	return true;
}

/* As where SIZE_MAX is 4 GiB and a row is 613 MB of line feeds. */
static void
check_sizes(void)
{
	const size_t line = sizeof("data: \n") - 1, n = SIZE_MAX / line;
	size_t len = n * line;

	check(sse_add_len(1, 2) == 3 && sse_add_len(SIZE_MAX, 0) == SIZE_MAX &&
		sse_add_len(len, SIZE_MAX - len) == SIZE_MAX,
	    "a size that fits is the sum");
	len = sse_add_len(len, line);
	check(len == SIZE_MAX && sse_add_len(len, line) == SIZE_MAX &&
		sse_add_len(1, len) == SIZE_MAX,
	    "one that does not fit stays SIZE_MAX, whatever is added");
}

int
main(void)
{
	tap_seed();
	check_sizes();
	check_fields();
	check_data();
	check_names();
	check(all_line_ends_come_back(),
	    "every mix of a, CR and LF up to 7 bytes comes back as one event");
	check(round_trips(), "random events come back from the parser");
	check(all_parts_join(), "random events come the same in parts");
	return tap_end();
}
