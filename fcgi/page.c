/*
 * One page, read from the log.
 */
#include "page.h"

#include "lib/sse.h"

struct fill {
	struct log *log;
	int64_t after;
	size_t part;
	struct chunk *chunk;
	size_t rows;
	bool has_no_memory;
	enum log_result result; /* of reading a part */
};

static bool
on_huge(struct fill *fill, const struct event *e)
{
	size_t from = fill->part < e->huge_len ? fill->part : e->huge_len;
	size_t len = e->huge_len - from, got;

	if (fill->chunk != NULL)
		return false;
	if (len > LOG_HUGE_BYTES)
		len = LOG_HUGE_BYTES;
	fill->chunk = chunk_new_part(fill->after, e, from, len);
	fill->has_no_memory = fill->chunk == NULL;
	if (fill->has_no_memory)
		return false;
	got = len;
	fill->result =
	    log_read_part(fill->log, e->id, from, fill->chunk->bytes, &got);
	if (fill->result == LOG_OK && got != len) /* of a corrupt row */
		fill->result = LOG_BROKEN;
	return true;
}

static bool
on_row(void *cookie, const struct event *e)
{
	struct fill *fill = cookie;
	size_t len = sse_len(e);

	fill->rows++;
	if (e->huge_len > 0)
		return on_huge(fill, e);
	if (fill->chunk == NULL)
		fill->chunk = chunk_new(fill->after, len);
	else if (!chunk_fits(fill->chunk, len))
		return false;
	if (fill->chunk == NULL || chunk_add(fill->chunk, e, len) != 0) {
		fill->has_no_memory = true;
		return false;
	}
	return true;
}

/* SQLite merges the rows of whole topics: each costs more, the more there
   are. */
static size_t
max_rows(const struct filter *f)
{
	size_t n = 0;

	if (filter_is_exact(f))
		(void)filter_patterns(f, &n);
	return (size_t)PAGE_ROWS * 32 / (32 + n);
}

enum log_result
page_read(struct log *log, const struct filter *f, int64_t cursor, size_t part,
    int64_t upto, struct chunk **page, uint64_t *rows)
{
	struct fill fill = { .log = log, .after = cursor, .part = part };
	struct log_range range = { .after = cursor,
		.upto = upto,
		.max_rows = max_rows(f),
		.filter = f };
	enum log_result result;
	int64_t reached;

	result = log_read(log, &range, on_row, &fill, &reached);
	*rows += fill.rows;
	if (result == LOG_OK)
		result = fill.result;
	if (result == LOG_OK && fill.chunk == NULL && !fill.has_no_memory)
		fill.chunk = chunk_new(cursor, 0);
	if (result == LOG_OK && (fill.chunk == NULL || fill.has_no_memory))
		result = LOG_NO_MEMORY;
	if (result != LOG_OK) {
		chunk_free(fill.chunk);
		return result;
	}
	fill.chunk->upto = reached;
	*page = fill.chunk;
	return LOG_OK;
}
