/*
 * The events that a command is about.  The rules for values are those of the
 * query of a stream, in filter and start.
 */
#include "selection.h"

#include "lib/utf8.h"
#include "lib/value.h"

#define NOT_A_NAME \
	"'%.80s' is not at most %d bytes of UTF-8 without line breaks"
#define TOO_MANY "more than %d; use a prefix, or leave it out for all"

enum options_result
selection_topic(void *selection, const char *value, char *why)
{
	struct selection *s = selection;
	struct pattern pattern;

	if (!utf8_is_valid(text_of(value)) ||
	    filter_read_pattern(text_of(value), &pattern) != 0)
		return value_refuse(why, NOT_A_NAME, value, EVENT_NAME_MAX);
	if (s->n_topics == FILTER_TOPICS_MAX)
		return value_refuse(why, TOO_MANY, FILTER_TOPICS_MAX);
	s->topics[s->n_topics++] = pattern;
	return OPTIONS_OK;
}

enum options_result
selection_event(void *selection, const char *value, char *why)
{
	struct selection *s = selection;

	if (!utf8_is_valid(text_of(value)) || !filter_is_name(text_of(value)))
		return value_refuse(why, NOT_A_NAME, value, EVENT_NAME_MAX);
	if (s->n_names == FILTER_NAMES_MAX)
		return value_refuse(why, TOO_MANY, FILTER_NAMES_MAX);
	s->names[s->n_names++] = text_of(value);
	return OPTIONS_OK;
}

enum options_result
selection_since(void *selection, const char *value, char *why)
{
	struct selection *s = selection;

	if (start_parse(text_of(value), &s->start, &s->value) == 0)
		return OPTIONS_OK;
	return value_refuse(why,
	    "'%.80s' is not an id, earliest, last:N, or a time such as"
	    " 2026-01-31T12:00:00Z",
	    value);
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
