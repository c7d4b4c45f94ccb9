/*
 * Fuzz target: a body that is published as it comes → events or a problem.
 *
 * Input: one byte for the type, one for the size of the pieces, the query up to
 * the first newline, the body.  Holds if: nothing is read or written out of
 * bounds; events are UTF-8 and have data; in pieces it gives what it gives in
 * one; a refusal has a status of the contract and a detail.
 *
 * Covers: lib/body/body.c lib/body/blocks.c lib/body/event_stream.c
 */
#include "fuzz.h"

#include "lib/body/body.h"
#include "lib/utf8.h"

#define MAX_BYTES 512

/* A sum of all that was given, to compare. */
struct sum {
	uint64_t hash;
	size_t n;
	int status;
	bool is_unfinished;
};

static void
add(struct sum *sum, struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		sum->hash = (sum->hash ^ (uint8_t)t.bytes[i]) * 1099511628211U;
	sum->hash = (sum->hash ^ 0x100) * 1099511628211U;
}

static void
take_events(struct body *s, struct sum *sum)
{
	const struct event *events;
	size_t n;

	events = body_events(s, &n);
	for (size_t i = 0; i < n; i++) {
		const struct event *e = &events[i];

		require(e->data.bytes != NULL && e->topic.bytes != NULL);
		require(utf8_is_valid(e->topic) && utf8_is_valid(e->name));
		require(utf8_is_valid(e->data) && utf8_is_valid(e->key));
		require(e->retry_ms >= -1 && e->retry_ms <= 86400000);
		require(body_line(s, i) >= 1);
		add(sum, e->topic);
		add(sum, e->name);
		add(sum, e->data);
		add(sum, e->key);
	}
	sum->n += n;
	body_clear(s);
}

static struct sum
feed(struct log *json, enum media media, const char *query, const uint8_t *body,
    size_t len, size_t size)
{
	struct sum sum = { .hash = 14695981039346656037U };
	struct problem p = { 0 };
	const struct body_options options = {
		.media = media,
		.length = -1,
		.query = query,
		.max_bytes = MAX_BYTES,
		.limit_name = "",
	};
	struct body *s = body_new(&options, json, &p);
	int result = s == NULL ? -1 : 0;

	for (size_t at = 0; at < len && result == 0; at += size) {
		size_t n = len - at < size ? len - at : size;
		char *piece = fuzz_copy(body + at, n);

		result = body_take(s, piece, n, &p);
		free(piece);
		take_events(s, &sum);
	}
	if (result == 0) {
		result = body_end(s, &p);
		take_events(s, &sum);
	}
	if (result != 0) {
		require(p.status == 400 || p.status == 413 || p.status == 415);
		require(p.detail[0] != '\0');
		sum.status = p.status;
	}
	if (s != NULL)
		sum.is_unfinished = body_facts(s)->is_unfinished;
	body_free(s);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log *json;
	const uint8_t *newline;
	struct sum whole, pieces;
	enum media media;
	size_t query_len, len;
	char *query;

	if (json == NULL)
		json = log_open_memory();
	require(json != NULL);
	newline = size > 2 ? memchr(data + 2, '\n', size - 2) : NULL;
	if (newline == NULL)
		return 0;
	media = data[0] % 2 == 0 ? MEDIA_NDJSON : MEDIA_EVENT_STREAM;
	query_len = (size_t)(newline - data) - 2;
	query = malloc(query_len + 1);
	require(query != NULL);
	memcpy(query, data + 2, query_len);
	query[query_len] = '\0';
	len = size - query_len - 3;
	whole = feed(json, media, query, newline + 1, len, len + 1);
	pieces = feed(json, media, query, newline + 1, len,
	    (size_t)data[1] % 16 + 1);
	require(whole.n == pieces.n && whole.hash == pieces.hash);
	require(whole.status == pieces.status);
	require(whole.is_unfinished == pieces.is_unfinished);
	free(query);
	return 0;
}
