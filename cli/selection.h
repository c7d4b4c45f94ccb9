#ifndef ROWCAST_SELECTION_H
#define ROWCAST_SELECTION_H

#include "lib/filter.h"
#include "lib/start.h"
#include "args.h"

/*
 * The events that a command is about: --topic, --event and --since, which take
 * the same values as the query of a stream.
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

/* Rows of a table of options; field is a struct selection. */
#define SELECTION_TOPIC(type, field, help)                     \
	{                                                      \
		"topic", "t", NULL, "T", NULL, help,           \
		    OPTION_OTHER(type, field, selection_topic) \
	}
#define SELECTION_OPTIONS(type, field, since)                             \
	SELECTION_TOPIC(type, field,                                      \
	    "only this topic; 'user/*' takes all"                         \
	    " that begin with user/; repeatable"),                        \
	    { "event", "e", NULL, "NAME", NULL,                           \
		    "only events of this name; repeatable",               \
		    OPTION_OTHER(type, field, selection_event) },         \
	{                                                                 \
		"since", NULL, NULL, "FROM", NULL,                        \
		    "begin after this id, with earliest, with the last:N" \
		    " events, or at a time such as 2026-01-31T12:00:00Z"  \
		    " (default: " since ")",                              \
		    OPTION_OTHER(type, field, selection_since)            \
	}

/*
 * Read the value of an option; see struct option.
 *   shape    s is a struct selection
 *   owns     the selection borrows value
 */
enum options_result selection_topic(void *s, const char *value, char *why);
enum options_result selection_event(void *s, const char *value, char *why);
enum options_result selection_since(void *s, const char *value, char *why);

/* Make the filter once all options are read.  Returns 0, or -1 after it has
   reported that memory is short. */
int selection_end(struct selection *s, struct args *a);
void selection_free(struct selection *s);

#endif
