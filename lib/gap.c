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

enum log_result
gap_find(struct log *log, const struct filter *f, int64_t cursor,
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
