/*
 * One page, read from the log.
 */
#include "page.h"

#include "lib/sse.h"

struct fill {
	int64_t after;
	struct chunk *chunk;
	size_t rows;
	bool has_no_memory;
};

static bool
on_row(void *cookie, const struct event *e)
{
	struct fill *fill = cookie;
	size_t len = sse_len(e);

	fill->rows++;
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

enum log_result
page_read(struct log *log, const struct filter *f, int64_t cursor, int64_t upto,
    struct chunk **page, uint64_t *rows)
{
	struct fill fill = { .after = cursor };
	struct log_range range = { .after = cursor,
		.upto = upto,
		.max_rows = PAGE_ROWS,
		.filter = f };
	enum log_result result;
	int64_t reached;

	result = log_read(log, &range, on_row, &fill, &reached);
	*rows += fill.rows;
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
