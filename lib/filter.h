#ifndef ROWCAST_FILTER_H
#define ROWCAST_FILTER_H

#include <stdbool.h>

#include "event.h"

/*
 * Which topics and event names are asked for.  Immutable once made, and
 * normalised, so that equal wishes compare equal.  Pure.
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

#define FILTER_TOPICS_MAX 64 /* that one wish may name */
#define FILTER_NAMES_MAX 64

/* Can there be a topic or an event of this name in the log at all?  Whether it
   is UTF-8 is not looked at. */
bool filter_is_name(struct text t);

/*
 * Read a topic pattern: a topic, or a prefix if it ends in '*'.
 *   returns  0; -1 if no topic can be like that
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

/*
 * A byte string that is equal for two filters exactly if they let the same
 * events pass by the rules above; for hashing.  Lent by the filter.
 */
struct text filter_key(const struct filter *f);

/* The normalised patterns, at least one; lent by the filter. */
const struct pattern *filter_patterns(const struct filter *f, size_t *n);

/* Does every event pass? */
bool filter_is_all(const struct filter *f);

/* Are all patterns exact, so that an index on the topic answers for it? */
bool filter_is_exact(const struct filter *f);

bool filter_has_topic(const struct filter *f, struct text topic);
bool filter_has_name(const struct filter *f, struct text name);

#endif
