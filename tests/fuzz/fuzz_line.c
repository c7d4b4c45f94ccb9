/*
 * Fuzz target: a line of NDJSON → an event, and back.
 *
 * Holds if: nothing is read or written out of bounds; a refusal says why; an
 * event is UTF-8 and has data; what export writes of it is read again as the
 * same event; what tail shows of it is one harmless line, or what a browser
 * takes for the same event.
 *
 * Covers: lib/body/body.c lib/body/fields.c cli/buffer.c
 */
#include "fuzz.h"

#include "cli/record.h"
#include "lib/body/body.h"
#include "lib/utf8.h"
#include "tests/oracle/event_source.h"
#include "seen.h"

static bool
is_same(struct text a, struct text b)
{
	/* absent and empty are not the same */
	if (a.bytes == NULL || b.bytes == NULL)
		return a.bytes == b.bytes;
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

static void
check_event(const struct event *e)
{
	require(e->id == 0);
	require(e->data.bytes != NULL);
	require(e->topic.bytes != NULL && utf8_is_valid(e->topic));
	require(e->name.bytes != NULL && utf8_is_valid(e->name));
	require(utf8_is_valid(e->data) && utf8_is_valid(e->key));
	require(e->retry_ms >= EVENT_NO_RETRY && e->retry_ms <= 86400000);
}

/* The event of one line of an export, lent by the body; NULL: a problem. */
static struct body *
read_line(struct log *json, const char *bytes, size_t len,
    const struct event **e, struct problem *p)
{
	const struct body_options options = {
		.media = MEDIA_NDJSON,
		.length = -1,
		.max_bytes = SIZE_MAX,
		.limit_name = "",
		.is_export = true,
	};
	struct body *b = body_new(&options, json, p);
	size_t n;

	require(b != NULL);
	*e = NULL;
	if (body_take(b, bytes, len, p) != 0)
		return b;
	*e = body_events(b, &n);
	if (n == 0 && body_end(b, p) == 0)
		*e = body_events(b, &n);
	if (n == 0)
		*e = NULL;
	return b;
}

static void
check_again(struct log *json, const struct event *e)
{
	struct buffer b = { 0 };
	struct problem p;
	const struct event *again;
	struct body *body;

	record_add(&b, RECORD_JSON, e);
	require(!b.is_short && b.len > 0 && b.bytes[b.len - 1] == '\n');
	require(memchr(b.bytes, '\n', b.len) == b.bytes + b.len - 1);
	body = read_line(json, b.bytes, b.len, &again, &p);
	require(again != NULL);
	require(is_same(again->topic, e->topic));
	require(is_same(again->name, e->name));
	require(is_same(again->data, e->data));
	require(is_same(again->key, e->key));
	require(again->retry_ms == e->retry_ms);
	body_free(body);
	buffer_free(&b);
}

/* For people: one line of UTF-8 that does nothing to a terminal. */
static void
check_shown(const struct event *e)
{
	struct buffer b = { 0 };
	size_t tabs = 0;

	record_add(&b, RECORD_LINE, e);
	require(!b.is_short && b.len > 0 && b.bytes[b.len - 1] == '\n');
	for (size_t i = 0; i + 1 < b.len; i++) {
		unsigned char c = (unsigned char)b.bytes[i];

		tabs += c == '\t';
		require(c == '\t' || (c >= 0x20 && c != 0x7f));
	}
	require(tabs == 4);
	require(utf8_is_valid((struct text){ b.bytes, b.len }));
	buffer_free(&b);
}

static void
on_block(void *cookie, const struct event_source_block *block)
{
	const struct event **e = cookie;

	require(block->is_event && *e != NULL);
	require(seen_type_is(block->type, (*e)->name));
	require(seen_data_is(block->data, (*e)->data));
	require(block->retry_ms == (*e)->retry_ms);
	*e = NULL;
}

/* As a stream: a browser sees the same event. */
static void
check_streamed(const struct event *e)
{
	struct event_source *browser = event_source_new();
	struct buffer b = { 0 };

	record_add(&b, RECORD_SSE, e);
	require(!b.is_short);
	event_source_feed(browser, b.bytes, b.len, on_block, &e);
	require(e == NULL && event_source_is_between(browser));
	event_source_free(browser);
	buffer_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log *json;
	char *bytes = fuzz_copy(data, size);
	struct problem p = { 0 };
	const struct event *e;
	struct body *body;

	if (json == NULL)
		json = log_open_memory();
	require(json != NULL);
	body = read_line(json, bytes, size, &e, &p);
	free(bytes); /* the event borrows nothing from it */
	if (e != NULL) {
		check_event(e);
		check_again(json, e);
		check_shown(e);
		check_streamed(e);
	} else {
		require(
		    p.status == 0 || (p.status == 400 && p.detail[0] != '\0'));
	}
	body_free(body);
	return 0;
}
