/*
 * A browser that knows what it is to see.
 */
#include "reader.h"

#include <inttypes.h>

#define REFUSED_MS 5000
#define SIZE_MAX_DATA 140000

struct text
history_data(int epoch, int64_t id, size_t size)
{
	static char data[SIZE_MAX_DATA + 64];
	int len = snprintf(data, 64, "%d/%" PRId64 "\n", epoch, id);

	require(size <= SIZE_MAX_DATA);
	memset(data + len, 'a' + (int)(id % 26), size);
	return (struct text){ data, (size_t)len + size };
}

void
reader_begin(struct reader *r, const struct history *h, bool is_stream)
{
	event_source_free(r->browser);
	*r = (struct reader){ .history = h,
		.browser = event_source_new(),
		.asked_at = h->now,
		.epoch = h->epoch,
		.is_stream = is_stream,
		.retry_ms = r->retry_ms };
}

void
reader_end(struct reader *r)
{
	event_source_free(r->browser);
	r->browser = NULL;
}

static int64_t
number(struct text t)
{
	int64_t n = 0;

	require(t.len > 0 && t.len < 19);
	for (size_t i = 0; i < t.len; i++) {
		require(t.bytes[i] >= '0' && t.bytes[i] <= '9');
		n = n * 10 + (t.bytes[i] - '0');
	}
	return n;
}

/*
 * Between the two lies nothing that the reader was to get: what was asked for
 * and is not there was said to be gone, unless it was gone before, and reading
 * was to begin with what is kept.
 */
static void
check_skipped(const struct reader *r, int64_t after, int64_t before)
{
	const struct history *h = r->history;

	for (size_t i = 0; i < h->n[r->epoch]; i++) {
		const struct past *p = &h->rows[r->epoch][i];

		if (p->id <= after || p->id >= before ||
		    !wish_has(&r->wish, &p->event))
			continue;
		require(p->removed_at > 0);
		if (p->removed_at <= r->asked_at &&
		    (r->start == START_EARLIEST || r->start == START_LAST))
			continue;
		require(r->gap_next > p->id);
	}
}

static void
take_row(struct reader *r, const struct event_source_block *b)
{
	const struct history *h = r->history;
	int64_t id = number(b->id);
	const struct past *p = NULL;

	for (size_t i = 0; i < h->n[r->epoch] && p == NULL; i++)
		if (h->rows[r->epoch][i].id == id)
			p = &h->rows[r->epoch][i];
	require(b->has_id && p != NULL && id > r->cursor);
	require(wish_has(&r->wish, &p->event));
	require(text_equal(b->type, p->event.name));
	require(b->retry_ms == p->event.retry_ms);
	require(
	    text_equal(b->data, history_data(r->epoch, id, p->event.data.len)));
	check_skipped(r, r->cursor, id);
	r->cursor = id;
}

/* "{"after":N,"next":M}", or "head" in place of "next": the second number. */
static int64_t
second_number(struct text data, const char *name)
{
	char text[128], *at;
	struct text digits;

	require(data.len < sizeof(text));
	memcpy(text, data.bytes, data.len);
	text[data.len] = '\0';
	require(strncmp(text, "{\"after\":", 9) == 0);
	at = strstr(text, name);
	require(at != NULL);
	digits.bytes = at += strlen(name);
	digits.len = strspn(at, "0123456789");
	require(strcmp(at + digits.len, "}") == 0);
	return number(digits);
}

static void
take_notice(struct reader *r, const struct event_source_block *b)
{
	if (text_equal(b->type, (struct text){ "stream-gap", 10 })) {
		require(!b->has_id);
		r->gap_next = second_number(b->data, "\"next\":");
		require(r->gap_next > r->cursor);
	} else {
		require(
		    text_equal(b->type, (struct text){ "stream-reset", 12 }));
		require(b->has_id && r->epoch < r->history->epoch);
		r->epoch++;
		r->cursor = number(b->id);
		r->gap_next = 0;
		require(r->cursor == second_number(b->data, "\"head\":"));
	}
}

/* A block without an event: the first, a keepalive's id, the last retry. */
static void
take_silence(struct reader *r, const struct event_source_block *b)
{
	int64_t id;

	if (!r->has_cursor && !b->has_id) { /* no place is left */
		require(
		    b->retry_ms >= REFUSED_MS && b->retry_ms <= 3 * REFUSED_MS);
		r->is_stream = false;
		return;
	}
	if (!r->has_cursor) {
		require(b->retry_ms == r->retry_ms);
		r->cursor = number(b->id);
		r->has_cursor = true;
		return;
	}
	if (!b->has_id)
		return;
	id = number(b->id);
	require(id > r->cursor && b->retry_ms == EVENT_NO_RETRY);
	check_skipped(r, r->cursor, id + 1);
	r->cursor = id;
}

static void
on_block(void *cookie, const struct event_source_block *b)
{
	struct reader *r = cookie;

	require(r->is_stream);
	if (!b->is_event) {
		take_silence(r, b);
		return;
	}
	require(r->has_cursor);
	if (b->type.len > 7 && memcmp(b->type.bytes, "stream-", 7) == 0) {
		take_notice(r, b);
	} else if (r->has_hello) {
		require(text_equal(b->type, (struct text){ "hi", 2 }));
		require(b->has_id && number(b->id) == r->cursor);
		r->has_hello = false;
	} else {
		take_row(r, b);
	}
}

/* Up to the empty line; the number of bytes that are of the headers. */
static size_t
take_head(struct reader *r, const char *bytes, size_t len)
{
	size_t i = 0;

	while (i < len && !r->has_head) {
		require(r->head_len < sizeof(r->head) - 1);
		r->head[r->head_len++] = bytes[i++];
		r->has_head = r->head_len >= 4 &&
		    memcmp(r->head + r->head_len - 4, "\r\n\r\n", 4) == 0;
	}
	if (r->has_head) {
		require(strncmp(r->head, "Status: ", 8) == 0);
		if (strncmp(r->head + 8, "200 ", 4) != 0)
			r->is_stream = false;
	}
	return i;
}

void
reader_take(struct reader *r, const char *bytes, size_t len)
{
	size_t used = r->has_head ? 0 : take_head(r, bytes, len);

	if (r->has_head && r->is_stream)
		event_source_feed(r->browser, bytes + used, len - used,
		    on_block, r);
}

void
reader_check_all(const struct reader *r)
{
	if (!r->is_stream || !r->has_cursor)
		return;
	require(r->epoch == r->history->epoch);
	require(event_source_is_between(r->browser) && !r->has_hello);
	check_skipped(r, r->cursor, INT64_MAX);
}
