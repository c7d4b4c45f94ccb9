/*
 * The search for the place in the log where a stream begins.
 */
#include "seek.h"

/* Rows that were removed before the stream began are not missing in it. */
static enum seek_result
note_removals(struct log *log, struct seek *seek)
{
	if (log_removals(log, &seek->known.count, &seek->known.upto) != LOG_OK)
		return SEEK_TROUBLE;
	return SEEK_FOUND;
}

static enum seek_result
find_after(struct log *log, int64_t head, struct seek *seek)
{
	int64_t end;

	seek->cursor = seek->value <= head ? seek->value : head;
	if (seek->value <= head)
		return SEEK_FOUND;
	/* it may have been appended since head was read */
	if (log_head(log, &end) != LOG_OK)
		return SEEK_TROUBLE;
	return seek->value <= end ? SEEK_AGAIN : SEEK_BEYOND;
}

static enum seek_result
find_earliest(struct log *log, int64_t head, struct seek *seek)
{
	int64_t oldest;

	if (log_oldest(log, &oldest) != LOG_OK)
		return SEEK_TROUBLE;
	seek->cursor = oldest > 0 ? oldest - 1 : head;
	return note_removals(log, seek);
}

struct count {
	const struct filter *filter;
	struct seek *seek;
};

static bool
on_row(void *cookie, const struct event *e)
{
	struct count *count = cookie;
	struct seek *seek = count->seek;

	if (seek->value == 0)
		return false;
	if (filter_has_topic(count->filter, e->topic) &&
	    filter_has_name(count->filter, e->name)) {
		seek->value--;
		seek->cursor = e->id - 1;
	}
	return true;
}

static enum seek_result
find_last(struct log *log, int64_t head, const struct filter *f,
    struct seek *seek)
{
	struct count count = { .filter = f, .seek = seek };
	struct log_range range = { .max_rows = LOG_PAGE_ROWS,
		.filter = f,
		.is_back = true };
	int64_t reached;

	if (seek->upto == 0)
		seek->upto = seek->cursor = head;
	range.upto = seek->upto;
	if (log_read(log, &range, on_row, &count, &reached) != LOG_OK)
		return SEEK_TROUBLE;
	seek->upto = reached;
	if (seek->value > 0 && seek->upto > 0)
		return SEEK_AGAIN;
	return note_removals(log, seek);
}

static enum seek_result
find_since(struct log *log, int64_t head, struct seek *seek)
{
	if (log_before_time(log, seek->value, &seek->cursor) != LOG_OK)
		return SEEK_TROUBLE;
	if (seek->cursor > head)
		seek->cursor = head;
	return SEEK_FOUND;
}

enum seek_result
seek_step(struct log *log, int64_t head, const struct filter *f,
    struct seek *seek)
{
	switch (seek->start) {
	case START_NOW:
		seek->cursor = head;
		break;
	case START_AFTER:
		return find_after(log, head, seek);
	case START_EARLIEST:
		return find_earliest(log, head, seek);
	case START_LAST:
		return find_last(log, head, f, seek);
	case START_SINCE:
		return find_since(log, head, seek);
	}
	return SEEK_FOUND;
}
