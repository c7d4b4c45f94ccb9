/*
 * One record in the making.  Its contents depend on the position alone, so a
 * record that did not go out is simply made again.
 */
#include "batch.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/sse.h"

_Static_assert(CONNECTION_PIECES_MAX <= IOV_MAX, "one call sends a record");
_Static_assert(RECORDS_CONTENT_MAX - BATCH_TEXT_MAX >= SSE_PART_MIN,
    "there is room for a part behind the text");

void
batch_begin(struct batch *b, const struct position *at)
{
	b->n = 1; /* the place for a record header */
	b->len = b->text_len = 0;
	b->notices = 0;
	b->at = *at;
}

void
batch_say(struct batch *b, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(b->text + b->text_len, sizeof(b->text) - b->text_len,
	    format, arguments);
	va_end(arguments);
	assert(n >= 0 && (size_t)n < sizeof(b->text) - b->text_len);
	b->text_len += (size_t)n;
	b->pieces[1] = (struct iovec){ b->text, b->text_len };
	b->n = 2;
	b->len = b->text_len;
}

static void
add_piece(struct batch *b, const char *bytes, size_t len)
{
	struct iovec *last = &b->pieces[b->n - 1];

	b->len += len;
	if (b->n > 1 && (const char *)last->iov_base + last->iov_len == bytes)
		last->iov_len += len;
	else
		b->pieces[b->n++] =
		    (struct iovec){ (void *)(uintptr_t)bytes, len };
}

/*
 * Add the event, or as much of it as goes into a record of its own.
 * Returns false if the record is full.
 */
static bool
add_event(struct batch *b, const struct chunk *c, size_t i)
{
	const struct chunk_entry *e = &c->entries[i];
	size_t left = e->len - b->at.part, room = RECORDS_CONTENT_MAX - b->len;

	if (b->n == CONNECTION_PIECES_MAX || room == 0)
		return false;
	if (left > room) {
		/* split only an event that would never fit */
		if (e->len <= RECORDS_CONTENT_MAX && b->at.part == 0)
			return false;
		add_piece(b, c->bytes + e->at + b->at.part, room);
		b->at.part += room;
		b->at.part_id = e->id;
		b->at.part_len = e->len;
		return false;
	}
	add_piece(b, c->bytes + e->at + b->at.part, left);
	b->at.part = 0;
	b->at.cursor = b->at.last_id = e->id;
	return true;
}

/* Add as much of a huge event as goes into the record. */
static void
add_huge(struct batch *b, const struct chunk *c)
{
	size_t at = b->at.part - c->huge_from, taken;
	const struct event e = {
		.id = c->entries[0].id,
		.name = chunk_name(c, 0),
		.retry_ms = c->retry_ms,
		.data = { c->bytes + at, c->len - at },
	};

	add_piece(b, b->huge,
	    sse_encode_part(&e, b->at.part, c->huge_len, b->huge,
		RECORDS_CONTENT_MAX - b->len, &taken));
	b->at.part += taken;
	b->at.part_id = e.id;
	b->at.part_len = c->huge_len;
	if (b->at.part < c->huge_len)
		return;
	b->at.part = 0;
	b->at.cursor = b->at.last_id = e.id;
}

/* Read a second time, an event may differ: changed by hand. */
static bool
is_begun_event(const struct batch *b, const struct chunk *c, size_t i)
{
	const struct chunk_entry *e = &c->entries[i];

	if (e->id != b->at.part_id)
		return false;
	if (c->huge_len == 0)
		return e->len == b->at.part_len;
	return c->huge_len == b->at.part_len && chunk_has_part(c, b->at.part);
}

enum batch_result
batch_add_events(struct batch *b, const struct filter *f, const struct chunk *c)
{
	bool is_all = filter_is_all(f), was_begun = b->at.part > 0;

	for (size_t i = chunk_find(c, b->at.cursor); i < c->n; i++) {
		if (!is_all &&
		    (!filter_has_topic(f, chunk_topic(c, i)) ||
			!filter_has_name(f, chunk_name(c, i))))
			continue;
		if (was_begun && !is_begun_event(b, c, i))
			return BATCH_BROKEN;
		if (c->huge_len > 0) {
			add_huge(b, c);
			return BATCH_MORE;
		}
		if (!add_event(b, c, i) || was_begun)
			return BATCH_MORE;
	}
	if (b->at.part > 0)
		return BATCH_BROKEN;
	b->at.cursor = c->upto;
	return BATCH_MORE;
}
