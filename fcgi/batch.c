/*
 * One record in the making.
 */
#include "batch.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/fastcgi/records.h"

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
}

void
batch_add_text(struct batch *b)
{
	if (b->text_len == 0)
		return;
	b->pieces[b->n++] = (struct iovec){ b->text, b->text_len };
	b->len += b->text_len;
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
	size_t left = e->len - b->part, room = RECORDS_CONTENT_MAX - b->len;

	if (b->n == CONNECTION_PIECES_MAX || room == 0)
		return false;
	if (left > room) {
		/* split only what would never fit */
		if (e->len <= RECORDS_CONTENT_MAX && b->part == 0)
			return false;
		add_piece(b, c->bytes + e->at + b->part, room);
		b->part += room;
		b->part_id = e->id;
		b->part_len = e->len;
		return false;
	}
	add_piece(b, c->bytes + e->at + b->part, left);
	b->part = 0;
	b->cursor = b->told = e->id;
	return true;
}

enum batch_result
batch_add_events(struct batch *b, const struct filter *f, const struct chunk *c)
{
	bool is_all = filter_is_all(f), was_begun = b->part > 0;

	for (size_t i = chunk_find(c, b->cursor); i < c->n; i++) {
		const struct chunk_entry *e = &c->entries[i];

		if (!is_all &&
		    (!filter_has_topic(f, chunk_topic(c, i)) ||
			!filter_has_name(f, chunk_name(c, i))))
			continue;
		/* the row may have been read anew, and changed by hand */
		if (b->part > 0 &&
		    (e->id != b->part_id || e->len != b->part_len))
			return BATCH_BROKEN;
		if (!add_event(b, c, i) || was_begun)
			return BATCH_MORE;
	}
	if (b->part > 0)
		return BATCH_BROKEN;
	b->cursor = c->upto;
	return BATCH_MORE;
}
