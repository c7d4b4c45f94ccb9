#ifndef ROWCAST_SELECTION_H
#define ROWCAST_SELECTION_H

#include "lib/filter.h"
#include "lib/start.h"
#include "args.h"

/*
 * Which events a command is about: -t, -e and --since, in the words of the
 * stream's query.
 *   filter   made by selection_end()
 *   start    where to begin, with its value
 */
struct selection {
	struct pattern topics[FILTER_TOPICS_MAX];
	size_t n_topics;
	struct text names[FILTER_NAMES_MAX];
	size_t n_names;
	struct filter *filter;
	enum start start;
	int64_t value;
};

/*
 * Take the value of an option.
 *   returns  0; -1 if it is no such value, which has been reported
 *   owns     the selection borrows value
 */
int selection_topic(struct selection *s, struct args *a, const char *value);
int selection_event(struct selection *s, struct args *a, const char *value);
int selection_since(struct selection *s, struct args *a, const char *value);

/* All has been taken: make the filter.  0, or -1, reported. */
int selection_end(struct selection *s, struct args *a);
void selection_free(struct selection *s);

#endif
