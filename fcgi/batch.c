/*
 * One record in the making.  Its contents depend on the position alone, so a
 * record that did not go out is simply made again.
 */
#include "batch.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/fastcgi/records.h"

_Static_assert(CONNECTION_PIECES_MAX <= IOV_MAX, "one call sends a record");

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

enum batch_result
batch_add_events(struct batch *b, const struct filter *f, const struct chunk *c)
{
	bool is_all = filter_is_all(f), was_begun = b->at.part > 0;

	for (size_t i = chunk_find(c, b->at.cursor); i < c->n; i++) {
		const struct chunk_entry *e = &c->entries[i];

		if (!is_all &&
		    (!filter_has_topic(f, chunk_topic(c, i)) ||
			!filter_has_name(f, chunk_name(c, i))))
			continue;
		/* read a second time, it may differ: changed by hand */
		if (b->at.part > 0 &&
		    (e->id != b->at.part_id || e->len != b->at.part_len))
			return BATCH_BROKEN;
		if (!add_event(b, c, i) || was_begun)
			return BATCH_MORE;
	}
	if (b->at.part > 0)
		return BATCH_BROKEN;
	b->at.cursor = c->upto;
	return BATCH_MORE;
}
