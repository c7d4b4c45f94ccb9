/*
 * batch: which events of a chunk go into one record.
 */
#include "tap.h"

#include "fcgi/batch.h"
#include "lib/fastcgi/records.h"
#include "lib/sse.h"

#define LARGE 70000 /* more than a record */

static char large[LARGE + 1];

static void
add(struct chunk *c, int64_t id, size_t len)
{
	struct event e = tap_event(id, TEXT(""), TEXT("message"),
	    (struct text){ large, len });

	if (!chunk_fits(c, sse_len(&e)) || chunk_add(c, &e, sse_len(&e)) != 0)
		abort();
}

/* As a stream does it: a new record after the last. */
static enum batch_result
gather(struct batch *b, const struct filter *f, const struct chunk *c)
{
	const struct position at = b->at;

	batch_begin(b, &at);
	return batch_add_events(b, f, c);
}

static void
check_large(const struct filter *f)
{
	struct batch b = { .at = { 0 } };
	struct chunk *before = chunk_new(0, 2 * LARGE);
	struct chunk *after = chunk_new(0, 2 * LARGE);
	size_t whole;

	if (before == NULL || after == NULL)
		abort();
	add(before, 1, LARGE);
	whole = before->len;
	add(before, 2, 1);
	add(before, 3, 1);
	/* 2 has been removed meanwhile */
	add(after, 1, LARGE);
	add(after, 3, 1);
	check(gather(&b, f, before) == BATCH_MORE, "a large event is begun");
	check(b.len == RECORDS_CONTENT_MAX && b.at.part == b.len &&
		b.at.part_id == 1 && b.at.cursor == 0,
	    "with as much as goes into a record");
	check(gather(&b, f, after) == BATCH_MORE, "it is gone on with");
	check(b.len == whole - RECORDS_CONTENT_MAX && b.at.part == 0 &&
		b.at.cursor == 1,
	    "its rest goes alone, so that a gap behind it can be told");
	check(gather(&b, f, after) == BATCH_MORE && b.at.cursor == 3,
	    "then come those behind it");
	chunk_free(before);
	chunk_free(after);
}

static void
check_broken(const struct filter *f)
{
	struct batch b = { .at = { 0 } };
	struct chunk *c = chunk_new(0, LARGE + 100), *gone = chunk_new(0, 0);

	if (c == NULL || gone == NULL)
		abort();
	add(c, 1, LARGE);
	(void)gather(&b, f, c);
	add(gone, 2, 1);
	check(gather(&b, f, gone) == BATCH_BROKEN,
	    "a large event that was removed breaks off");
	chunk_cut(gone, 1);
	check(gather(&b, f, gone) == BATCH_BROKEN, "also if nothing follows");
	chunk_free(c);
	chunk_free(gone);
}

/* A row may have been changed by hand, or restored, between two records. */
static void
check_changed(const struct filter *f, size_t len, const char *how)
{
	struct batch b = { .at = { 0 } };
	struct chunk *c = chunk_new(0, 2 * LARGE);
	struct chunk *changed = chunk_new(0, 3 * LARGE);

	if (c == NULL || changed == NULL)
		abort();
	add(c, 1, LARGE);
	(void)gather(&b, f, c);
	add(changed, 1, len);
	add(changed, 2, LARGE - 1);
	check(gather(&b, f, changed) == BATCH_BROKEN && b.len == 0,
	    "a large event that has become %s breaks off", how);
	chunk_free(c);
	chunk_free(changed);
}

static void
check_small(const struct filter *f)
{
	struct batch b = { .at = { 0 } };
	struct chunk *c = chunk_new(0, 2 * LARGE);

	if (c == NULL)
		abort();
	add(c, 1, 10);
	add(c, 2, 10);
	add(c, 4, RECORDS_CONTENT_MAX - 14); /* exactly a record */
	c->upto = 9;
	check(gather(&b, f, c) == BATCH_MORE && b.at.cursor == 2 && b.n == 2 &&
		b.at.part == 0,
	    "what fits into a record of its own is not split");
	check(gather(&b, f, c) == BATCH_MORE && b.at.cursor == 9 &&
		b.at.last_id == 4,
	    "behind the last, the cursor is at the chunk's end");
	chunk_free(c);
}

/* Events that do not lie end to end are pieces of their own. */
static void
check_pieces(void)
{
	const struct pattern p = { TEXT("a"), false };
	const int64_t n = 2 * (int64_t)CONNECTION_PIECES_MAX;
	struct filter *f = filter_new(&p, 1, NULL, 0);
	struct chunk *c = chunk_new(0, CHUNK_BYTES);
	struct batch b = { .at = { 0 } };

	if (f == NULL || c == NULL)
		abort();
	for (int64_t id = 1; id <= n; id++) {
		struct event e = { .id = id,
			.topic = { id % 2 == 0 ? "a" : "b", 1 },
			.name = TEXT("message"),
			.retry_ms = EVENT_NO_RETRY };

		if (!chunk_fits(c, sse_len(&e)) ||
		    chunk_add(c, &e, sse_len(&e)) != 0)
			abort();
	}
	check(gather(&b, f, c) == BATCH_MORE && b.n == CONNECTION_PIECES_MAX &&
		b.at.cursor == n - 2,
	    "a record has no more pieces than one call sends");
	check(gather(&b, f, c) == BATCH_MORE && b.n == 2 && b.at.cursor == n,
	    "and the next one the rest");
	chunk_free(c);
	filter_free(f);
}

int
main(void)
{
	struct filter *f = filter_new(NULL, 0, NULL, 0);

	if (f == NULL)
		abort();
	memset(large, 'x', sizeof(large));
	check_small(f);
	check_pieces();
	check_large(f);
	check_broken(f);
	check_changed(f, 10, "short");
	check_changed(f, LARGE - 1, "shorter");
	check_changed(f, LARGE + 1, "longer");
	filter_free(f);
	return tap_end();
}
