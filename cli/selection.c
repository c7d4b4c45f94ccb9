/*
 * The events that a command is about.  The rules for values are those of the
 * query of a stream, in filter and start.
 */
#include "selection.h"

#include <stdio.h>

#include "lib/utf8.h"

static int
refuse_name(const char *value, char *why)
{
	(void)snprintf(why, OPTIONS_WHY_MAX,
	    "'%.80s' is not at most %d bytes of UTF-8 without line breaks",
	    value, EVENT_NAME_MAX);
	return -1;
}

static int
refuse_count(int max, char *why)
{
	(void)snprintf(why, OPTIONS_WHY_MAX,
	    "more than %d; use a prefix, or leave it out for all", max);
	return -1;
}

int
selection_topic(void *selection, const char *value, char why[OPTIONS_WHY_MAX])
{
	struct selection *s = selection;
	struct pattern pattern;

	if (!utf8_is_valid(text_of(value)) ||
	    filter_read_pattern(text_of(value), &pattern) != 0)
		return refuse_name(value, why);
	if (s->n_topics == FILTER_TOPICS_MAX)
		return refuse_count(FILTER_TOPICS_MAX, why);
	s->topics[s->n_topics++] = pattern;
	return 0;
}

int
selection_event(void *selection, const char *value, char why[OPTIONS_WHY_MAX])
{
	struct selection *s = selection;

	if (!utf8_is_valid(text_of(value)) || !filter_is_name(text_of(value)))
		return refuse_name(value, why);
	if (s->n_names == FILTER_NAMES_MAX)
		return refuse_count(FILTER_NAMES_MAX, why);
	s->names[s->n_names++] = text_of(value);
	return 0;
}

int
selection_since(void *selection, const char *value, char why[OPTIONS_WHY_MAX])
{
	struct selection *s = selection;

	if (start_parse(text_of(value), &s->start, &s->value) == 0)
		return 0;
	(void)snprintf(why, OPTIONS_WHY_MAX,
	    "'%.80s' is not an id, earliest, last:N, or a time such as"
	    " 2026-01-31T12:00:00Z",
	    value);
	return -1;
}

int
selection_end(struct selection *s, struct args *a)
{
	s->filter = filter_new(s->topics, s->n_topics, s->names, s->n_names);
	if (s->filter != NULL)
		return 0;
	a->status = args_fail(a, "out of memory");
	return -1;
}

void
selection_free(struct selection *s)
{
	filter_free(s->filter);
	s->filter = NULL;
}
