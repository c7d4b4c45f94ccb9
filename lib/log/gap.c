/*
 * Has a client missed anything?  Of whole topics each is looked up; for others
 * all topics are gone through, the last removed first.
 */
#include "gap.h"

#define TOPICS_MAX 10000 /* looked at for one client */

struct gap {
	const struct filter *filter;
	int64_t removed;
	size_t looked_at;
};

static bool
on_gap(void *cookie, const struct event *e)
{
	struct gap *gap = cookie;

	/* so many that it would take long, or so long ago that it has been
	   forgotten which: then say that one is missing */
	if (++gap->looked_at > TOPICS_MAX || e->topic.bytes == NULL ||
	    filter_has_topic(gap->filter, e->topic)) {
		gap->removed = e->id;
		return false;
	}
	return true;
}

/* The highest id, or 0. */
static enum log_result
find_highest(struct log *log, const struct filter *f, int64_t cursor,
    int64_t *removed)
{
	struct gap gap = { .filter = f };
	const struct pattern *patterns;
	enum log_result result = LOG_OK;
	size_t n;

	patterns = filter_patterns(f, &n);
	if (!filter_is_exact(f))
		result = log_removed(log, cursor, on_gap, &gap);
	for (size_t i = 0; filter_is_exact(f) && i < n && result == LOG_OK;
	     i++) {
		int64_t id = 0;

		result = log_removed_of(log, patterns[i].text, &id);
		if (id > cursor && id > gap.removed)
			gap.removed = id;
	}
	*removed = gap.removed;
	return result;
}

/*
 * Ids do not go in their order: a lower one than those that were gone when the
 * client began may have gone since.
 */
static enum log_result
have_more_gone(struct log *log, const struct gap_known *known, bool *more)
{
	enum log_result result;
	int64_t count, highest;

	*more = false;
	if (known->is_told)
		return LOG_OK;
	result = log_removals(log, &count, &highest);
	*more = result == LOG_OK && count != known->count;
	return result;
}

enum log_result
gap_find(struct log *log, const struct filter *f, int64_t cursor,
    struct gap_known *known, int64_t *next)
{
	enum log_result result;
	int64_t removed = 0;
	bool is_news;

	*next = 0;
	result = find_highest(log, f, cursor, &removed);
	is_news = removed > known->upto;
	if (result == LOG_OK && removed > 0 && !is_news)
		result = have_more_gone(log, known, &is_news);
	if (result == LOG_OK && is_news)
		result = log_next(log, removed, next);
	if (result == LOG_OK && is_news)
		*known = (struct gap_known){ .upto = removed, .is_told = true };
	return result;
}
