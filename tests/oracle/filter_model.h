#ifndef ROWCAST_FILTER_MODEL_H
#define ROWCAST_FILTER_MODEL_H

#include <stdbool.h>
#include <string.h>

#include "lib/filter.h"

/*
 * The model of a filter: pattern by pattern and name by name, as a stream asks
 * for them.  Unit tests and fuzz targets compare lib/filter, feeds and streams
 * with it.
 */

/* Does t begin with the bytes of start, or, if is_whole, equal them? */
static inline bool
model_begins(struct text t, struct text start, bool is_whole)
{
	return (is_whole ? t.len == start.len : t.len >= start.len) &&
	    (start.len == 0 || memcmp(t.bytes, start.bytes, start.len) == 0);
}

/* Does a topic match one of the patterns?  No patterns: every topic does. */
static inline bool
model_has_topic(const struct pattern *patterns, size_t n, struct text topic)
{
	for (size_t i = 0; i < n; i++)
		if (model_begins(topic, patterns[i].text,
			!patterns[i].is_prefix))
			return true;
	return n == 0;
}

/* Is it one of the names?  No names: every name is. */
static inline bool
model_has_name(const struct text *names, size_t n, struct text name)
{
	for (size_t i = 0; i < n; i++)
		if (model_begins(name, names[i], true))
			return true;
	return n == 0;
}

#endif
