/*
 * Whether a client has missed a removed event.  A filter of whole topics is
 * looked up topic by topic; for another, all topics are scanned, the last
 * removed first.
 */
#include "gap.h"

#define TOPICS_MAX 10000 /* scanned in one call */

struct gap {
	const struct filter *filter;
	int64_t removed;
	size_t looked_at;
};

static bool
on_gap(void *cookie, const struct event *e)
{
	struct gap *gap = cookie;

	/* if the scan takes too long or the topic is forgotten, report a gap */
	if (++gap->looked_at > TOPICS_MAX || e->topic.bytes == NULL ||
	    filter_has_topic(gap->filter, e->topic)) {
		gap->removed = e->id;
		return false;
	}
	return true;
}

/* Set *removed to the highest id > cursor; 0 if there is none. */
static enum log_result
find_highest(struct log *log, const struct filter *f, int64_t cursor,
    int64_t *removed)
{
	struct gap gap = { .filter = f };
	enum log_result result = LOG_OK;
	size_t n;
	const struct pattern *patterns = filter_patterns(f, &n);

	if (!filter_is_exact(f)) {
		result = log_removed(log, cursor, on_gap, &gap);
		n = 0;
	}
	for (size_t i = 0; i < n && result == LOG_OK; i++) {
		int64_t id = 0;

		result = log_removed_of(log, patterns[i].text, &id);
		if (id > cursor && id > gap.removed)
			gap.removed = id;
	}
	*removed = gap.removed;
	return result;
}

enum log_result
gap_find(struct log *log, const struct filter *f, int64_t cursor,
    struct gap_known *known, int64_t *next)
{
	int64_t removed = 0, count, highest;
	enum log_result result;

	*next = 0;
	result = find_highest(log, f, cursor, &removed);
	if (result != LOG_OK || removed == 0)
		return result;
	if (removed <= known->upto) {
		if (known->is_notified)
			return LOG_OK;
		/* Rows are not removed in the order of their ids: one below
		   known->upto may have been removed since. */
		result = log_removals(log, &count, &highest);
		if (result != LOG_OK || count == known->count)
			return result;
	}
	result = log_next(log, removed, next);
	if (result == LOG_OK)
		*known = (struct gap_known){ removed, .is_notified = true };
	return result;
}
