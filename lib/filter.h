#ifndef ROWCAST_FILTER_H
#define ROWCAST_FILTER_H

#include <stdbool.h>

#include "event.h"

/*
 * Which topics and event names a client asks for.  Immutable, and normalised so
 * that equal filters compare equal.  Pure.
 */
struct filter;

/*
 * One topic pattern.
 *   text       the topic itself, or the prefix without its '*'
 *   is_prefix  every topic that begins with text; an empty prefix is "all"
 */
struct pattern {
	struct text text;
	bool is_prefix;
};

#define FILTER_TOPICS_MAX 64 /* that one client may name */
#define FILTER_NAMES_MAX 64

/* Returns whether a topic or an event name may look like this: not too long,
   without line breaks and NUL.  Does not check for UTF-8 or an empty name. */
bool filter_is_name(struct text t);

/*
 * Parse a topic pattern: a topic, or a prefix if it ends in '*'.
 *   returns  0; -1 if no topic can match
 *   owns     the pattern borrows value
 */
int filter_read_pattern(struct text value, struct pattern *pattern);

/*
 * Make a filter that lets an event pass if one of the patterns matches its
 * topic and one of the names is its name.
 *   shape    no patterns: every topic; no names: every name
 *   returns  the filter; NULL if out of memory
 *   owns     copies everything; free with filter_free()
 * Normalised: sorted, repeats dropped, patterns that a prefix covers dropped,
 * "every topic" always stored as the single empty prefix.
 */
struct filter *filter_new(const struct pattern *patterns, size_t n_patterns,
    const struct text *names, size_t n_names);
void filter_free(struct filter *f); /* f may be NULL */

/* The normalised filter as bytes, for hashing: equal for equal filters only.
   Lent by the filter. */
struct text filter_key(const struct filter *f);

/* The normalised patterns, at least one; lent by the filter. */
const struct pattern *filter_patterns(const struct filter *f, size_t *n);

/* Returns whether every event passes. */
bool filter_is_all(const struct filter *f);

/* Returns whether all patterns are whole topics, which an index can find. */
bool filter_is_exact(const struct filter *f);

bool filter_has_topic(const struct filter *f, struct text topic);
bool filter_has_name(const struct filter *f, struct text name);

#endif
