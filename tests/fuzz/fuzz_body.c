/*
 * Fuzz target: a content type, a query and a body → events or a problem.
 *
 * Input: one byte for the content type, the query up to the first newline, the
 * body.  Holds if: nothing is read or written out of bounds; events are UTF-8,
 * have data, and no more text than was sent; a refusal has a status of the
 * contract and a detail.
 *
 * Covers: lib/body/body.c lib/body/fields.c lib/body/media.c lib/form.c
 * Covers: lib/log/json.c
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/body/body.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void
require(bool condition, const char *what)
{
	if (!condition) {
		(void)fprintf(stderr, "property broken: %s\n", what);
		abort();
	}
}

static void *
copy(const void *from, size_t len, size_t room)
{
	char *to = malloc(room > 0 ? room : 1);

	require(to != NULL, "memory");
	if (len > 0)
		memcpy(to, from, len);
	return to;
}

static void
check_event(const struct event *e)
{
	require(e->id == 0, "no id yet");
	require(e->data.bytes != NULL, "data");
	require(e->topic.bytes != NULL && e->name.bytes != NULL, "defaults");
	require(utf8_is_valid(e->topic), "topic is UTF-8");
	require(utf8_is_valid(e->name), "event is UTF-8");
	require(utf8_is_valid(e->data), "data is UTF-8");
	require(utf8_is_valid(e->key), "key is UTF-8");
	require(e->retry_ms >= -1 && e->retry_ms <= 86400000, "retry");
}

static void
check_body(const struct body *b, size_t sent)
{
	const struct event *events;
	size_t total = 0, n;

	events = body_events(b, &n);
	require(n >= 1 && n <= BODY_EVENTS_MAX, "number");
	require(body_facts(b)->is_array || n == 1, "one, unless an array");
	for (size_t i = 0; i < n; i++) {
		const struct event *e = &events[i];

		check_event(e);
		total += e->topic.len + e->data.len + e->key.len;
		if (strncmp(e->name.bytes, EVENT_DEFAULT_NAME, e->name.len) !=
		    0)
			total += e->name.len;
	}
	require(total <= sent, "no more text than was sent");
}

/* One for all inputs, as the program has one for all requests. */
static struct log *
json_reader(void)
{
	static struct log *json;

	if (json == NULL)
		json = log_open_memory();
	require(json != NULL, "memory");
	return json;
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static const char *const types[] = {
		"application/x-www-form-urlencoded",
		"application/json",
		"text/plain",
		"application/json; charset=\"utf-8\"",
	};
	const uint8_t *newline;
	struct problem p;
	struct body *b;
	struct body_options options = { .max_bytes = 1000000,
		.limit_name = "" };
	const char *type;
	char *query, *bytes;
	size_t query_len;

	newline = len > 0 ? memchr(input + 1, '\n', len - 1) : NULL;
	if (newline == NULL)
		return 0;
	query_len = (size_t)(newline - input) - 1;
	query = copy(input + 1, query_len, query_len + 1);
	query[query_len] = '\0';
	len -= query_len + 2;
	bytes = copy(newline + 1, len, len);
	/* a content type of the table, or what stands in the query */
	type = input[0] % 8 < 4 ? types[input[0] % 4] : query;
	memset(&p, 0, sizeof(p));
	options.media = media_find(type);
	if (options.media == MEDIA_NDJSON ||
	    options.media == MEDIA_EVENT_STREAM)
		options.media = MEDIA_UNKNOWN; /* fuzz_streamed.c has these */
	options.query = query;
	options.length = (int64_t)len;
	b = body_new(&options, json_reader(), &p);
	if (b != NULL && body_take(b, bytes, len, &p) == 0 &&
	    body_end(b, &p) == 0) {
		check_body(b, query_len + len);
	} else {
		require(p.status == 400 || p.status == 413 || p.status == 415,
		    "status");
		require(p.detail[0] != '\0', "detail");
	}
	body_free(b);
	free(bytes);
	free(query);
	return 0;
}
