/*
 * The parser of a browser for text/event-stream.  A line is processed at its CR
 * or LF, and an LF behind a CR is skipped, so the size of the pieces does not
 * matter.  The buffers have the names of the standard.
 */
#include "event_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char bom[] = "\xef\xbb\xbf";

struct buffer {
	char *bytes;
	size_t len;
	size_t capacity;
};

struct event_source {
	struct buffer line;
	struct buffer data;
	struct buffer event_type;
	struct buffer last_event_id_buffer;
	struct buffer last_event_id; /* the string that the object has */
	int64_t retry_ms;
	int64_t block_retry_ms;
	bool has_id;
	bool has_lines; /* since the last blank line */
	bool was_cr;
	size_t bom_len; /* so much of a BOM has come; 3: it cannot come */
};

/* ---- buffers ---- */

static void
append(struct buffer *b, const char *bytes, size_t len)
{
	size_t capacity = b->capacity > 0 ? b->capacity : 64;

	while (capacity - b->len < len)
		capacity *= 2;
	if (capacity > b->capacity) {
		b->bytes = realloc(b->bytes, capacity);
		if (b->bytes == NULL) {
			(void)fputs("event_source: out of memory\n", stderr);
			abort();
		}
		b->capacity = capacity;
	}
	if (len > 0)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

static void
set(struct buffer *b, const char *bytes, size_t len)
{
	b->len = 0;
	append(b, bytes, len);
}

static struct text
held_text(const struct buffer *b)
{
	return (struct text){ b->bytes, b->len };
}

/* ---- fields ---- */

/* "If the field value consists of only ASCII digits": not if it is empty. */
static void
process_retry(struct event_source *es, const char *value, size_t len)
{
	int64_t ms = 0;

	if (len == 0)
		return;
	for (size_t i = 0; i < len; i++) {
		int digit = value[i] - '0';

		if (digit < 0 || digit > 9)
			return;
		ms =
		    ms > (INT64_MAX - digit) / 10 ? INT64_MAX : ms * 10 + digit;
	}
	es->retry_ms = es->block_retry_ms = ms;
}

static void
process_field(struct event_source *es, struct text name, const char *value,
    size_t len)
{
#define IS(literal)                         \
	(name.len == sizeof(literal) - 1 && \
	    memcmp(name.bytes, literal, sizeof(literal) - 1) == 0)
	if (IS("event")) {
		set(&es->event_type, value, len);
	} else if (IS("data")) {
		append(&es->data, value, len);
		append(&es->data, "\n", 1);
	} else if (IS("id")) {
		if (len == 0 || memchr(value, '\0', len) == NULL) {
			set(&es->last_event_id_buffer, value, len);
			es->has_id = true;
		}
	} else if (IS("retry")) {
		process_retry(es, value, len);
	}
#undef IS
}

static void
process_line(struct event_source *es)
{
	const char *line = es->line.bytes, *value;
	size_t len = es->line.len, name_len;
	const char *colon = memchr(line, ':', len);

	if (colon == line) /* a comment */
		return;
	name_len = colon != NULL ? (size_t)(colon - line) : len;
	value = colon != NULL ? colon + 1 : line + len;
	len -= (size_t)(value - line);
	if (len > 0 && value[0] == ' ') {
		value++;
		len--;
	}
	process_field(es, (struct text){ line, name_len }, value, len);
}

/* ---- blocks ---- */

static void
forget_block(struct event_source *es)
{
	es->line.len = es->data.len = es->event_type.len = 0;
	es->block_retry_ms = EVENT_NO_RETRY;
	es->has_id = es->has_lines = false;
}

static void
dispatch(struct event_source *es, event_source_fn *block, void *cookie)
{
	struct event_source_block b = { .has_id = es->has_id,
		.retry_ms = es->block_retry_ms };
	bool has_lines = es->has_lines;

	set(&es->last_event_id, es->last_event_id_buffer.bytes,
	    es->last_event_id_buffer.len);
	b.id = held_text(&es->last_event_id);
	if (es->data.len > 0) {
		b.is_event = true;
		b.data = held_text(&es->data);
		if (b.data.bytes[b.data.len - 1] == '\n')
			b.data.len--;
		b.type = es->event_type.len > 0 ? held_text(&es->event_type) :
						  (struct text){ "message", 7 };
	}
	if (has_lines)
		block(cookie, &b);
	forget_block(es);
}

static void
end_line(struct event_source *es, event_source_fn *block, void *cookie)
{
	if (es->line.len == 0) {
		dispatch(es, block, cookie);
		return;
	}
	es->has_lines = true;
	process_line(es);
	es->line.len = 0;
}

/* ---- bytes ---- */

/* Takes a byte that may belong to a BOM; false if there is none. */
static bool
take_bom(struct event_source *es, char c)
{
	if (es->bom_len == 3)
		return false;
	if (c == bom[es->bom_len]) {
		es->bom_len++;
		return true;
	}
	append(&es->line, bom, es->bom_len);
	es->bom_len = 3;
	return false;
}

/* Takes bytes up to the next line end. */
static size_t
run(const char *bytes, size_t len)
{
	const char *lf = memchr(bytes, '\n', len), *cr;

	if (lf != NULL)
		len = (size_t)(lf - bytes);
	cr = memchr(bytes, '\r', len);
	return cr != NULL ? (size_t)(cr - bytes) : len;
}

void
event_source_feed(struct event_source *es, const char *bytes, size_t len,
    event_source_fn *block, void *cookie)
{
	size_t i = 0, n;

	while (i < len && take_bom(es, bytes[i]))
		i++;
	for (; i<len; i += n> 0 ? n : 1) {
		n = run(bytes + i, len - i);
		append(&es->line, bytes + i, n);
		/* an LF behind a CR: the CR has ended the line */
		if (n == 0 && !(bytes[i] == '\n' && es->was_cr))
			end_line(es, block, cookie);
		es->was_cr = n == 0 && bytes[i] == '\r';
	}
}

void
event_source_reconnect(struct event_source *es)
{
	forget_block(es);
	set(&es->last_event_id_buffer, es->last_event_id.bytes,
	    es->last_event_id.len);
	es->was_cr = false;
	es->bom_len = 0;
}

/* ---- the interface ---- */

struct event_source *
event_source_new(void)
{
	struct event_source *es = calloc(1, sizeof(*es));

	if (es == NULL) {
		(void)fputs("event_source: out of memory\n", stderr);
		abort();
	}
	es->retry_ms = es->block_retry_ms = EVENT_NO_RETRY;
	return es;
}

void
event_source_free(struct event_source *es)
{
	if (es == NULL)
		return;
	free(es->line.bytes);
	free(es->data.bytes);
	free(es->event_type.bytes);
	free(es->last_event_id_buffer.bytes);
	free(es->last_event_id.bytes);
	free(es);
}

struct text
event_source_id(const struct event_source *es)
{
	return held_text(&es->last_event_id);
}

int64_t
event_source_retry_ms(const struct event_source *es)
{
	return es->retry_ms;
}

bool
event_source_is_between(const struct event_source *es)
{
	return !es->has_lines && es->line.len == 0 &&
	    (es->bom_len == 0 || es->bom_len == 3);
}
