/*
 * Events as text/event-stream.
 * Length and bytes come from the same walk, so they cannot disagree.
 * Whatever a row holds, it becomes one event and forges no field: data is
 * split at every line end of the standard, names are cut at the first.
 */
#include "sse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Where bytes go.  If out is NULL, they are only counted. */
struct sink {
	char *out;
	size_t len;
};

/* Data of line ends only grows eightfold, which may exceed a 32-bit size_t. */
size_t
sse_add_len(size_t a, size_t b)
{
	return b <= SIZE_MAX - a ? a + b : SIZE_MAX;
}

static inline void
put(struct sink *s, const char *bytes, size_t len)
{
	if (s->out != NULL && len > 0)
		memcpy(s->out + s->len, bytes, len);
	s->len = sse_add_len(s->len, len);
}

#define PUT_LITERAL(sink, literal) put((sink), (literal), sizeof(literal) - 1)

static void
put_number(struct sink *s, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%" PRId64, n);

	put(s, digits, (size_t)len);
}

/* The first byte c in [p, end), or end. */
static inline const char *
find(const char *p, const char *end, char c)
{
	const char *hit = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;

	return hit != NULL ? hit : end;
}

static void
put_data(struct sink *s, struct text data)
{
	const char *p = data.len > 0 ? data.bytes : "";
	const char *end = p + data.len;
	/* Search for each only after it has been passed: a search for both on
	   every line would be quadratic for many short lines. */
	const char *cr = find(p, end, '\r');
	const char *lf = find(p, end, '\n');

	for (;;) {
		const char *line_end = cr < lf ? cr : lf;

		PUT_LITERAL(s, "data: ");
		put(s, p, (size_t)(line_end - p));
		PUT_LITERAL(s, "\n");
		if (line_end == end)
			return;
		p = line_end + 1;
		/* CRLF is one line end.  If there is no LF, lf is end. */
		if (line_end == cr && lf == p && p < end)
			p++;
		if (cr < p)
			cr = find(p, end, '\r');
		if (lf < p)
			lf = find(p, end, '\n');
	}
}

static void
put_name(struct sink *s, struct text name)
{
	const char *p = name.len > 0 ? name.bytes : "";
	const char *end = find(p, find(p, p + name.len, '\n'), '\r');
	size_t len = (size_t)(end - p);

	if (text_is((struct text){ p, len }, EVENT_DEFAULT_NAME))
		return;
	PUT_LITERAL(s, "event: ");
	put(s, p, len);
	PUT_LITERAL(s, "\n");
}

static void
put_fields(struct sink *s, const struct event *e)
{
	PUT_LITERAL(s, "id: ");
	put_number(s, e->id);
	PUT_LITERAL(s, "\n");
	put_name(s, e->name);
	if (e->retry_ms != EVENT_NO_RETRY) {
		PUT_LITERAL(s, "retry: ");
		put_number(s, e->retry_ms);
		PUT_LITERAL(s, "\n");
	}
}

static size_t
encode(const struct event *e, char *out)
{
	struct sink s = { out, 0 };

	put_fields(&s, e);
	put_data(&s, e->data);
	PUT_LITERAL(&s, "\n");
	return s.len;
}

size_t
sse_len(const struct event *e)
{
	return encode(e, NULL);
}

size_t
sse_encode(const struct event *e, char *out)
{
	assert(out != NULL);
	return encode(e, out);
}

#define LINE_END "\ndata: " /* what a line end of the data becomes */
#define PART_END "\n\n"

_Static_assert(SSE_PART_MIN > EVENT_NAME_MAX + 128 + sizeof(LINE_END PART_END),
    "a part has room for the fields and a byte of data");

/* Write bytes up to a line end, as many as there is room for. */
static const char *
put_run(struct sink *s, const char *p, const char *end, size_t room)
{
	const char *begin = p;

	if ((size_t)(end - p) > room - s->len)
		end = p + (room - s->len);
	while (p < end && *p != '\r' && *p != '\n')
		p++;
	put(s, begin, (size_t)(p - begin));
	return p;
}

size_t
sse_encode_part(const struct event *e, size_t from, size_t whole, char *out,
    size_t room, size_t *taken)
{
	const char *p = e->data.bytes, *end = p + e->data.len;
	bool is_last = from + e->data.len == whole;
	struct event fields = *e;
	struct sink s = { out, 0 };

	room -= sizeof(PART_END) - 1;
	if (fields.name.len > EVENT_NAME_MAX)
		fields.name.len = EVENT_NAME_MAX;
	if (from == 0) {
		put_fields(&s, &fields);
		PUT_LITERAL(&s, "data: ");
	}
	while ((p = put_run(&s, p, end, room)) < end &&
	    room - s.len >= sizeof(LINE_END) - 1) {
		/* a CR goes with the byte after it, which may be LF */
		if (*p == '\r' && p + 1 == end && !is_last)
			break;
		p += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
		PUT_LITERAL(&s, LINE_END);
	}
	*taken = (size_t)(p - e->data.bytes);
	if (p == end && is_last)
		PUT_LITERAL(&s, PART_END);
	return s.len;
}
