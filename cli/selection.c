/*
 * Which events a command is about.  What a value may be, filter and start know:
 * they read the stream's query, too.
 */
#include "selection.h"

#include "lib/utf8.h"

static int
refuse_name(struct args *a, const char *option, const char *value)
{
	a->status = args_refuse(a,
	    "%s '%.80s': at most %d bytes of UTF-8, without line breaks",
	    option, value, EVENT_NAME_MAX);
	return -1;
}

static int
refuse_count(struct args *a, const char *option, int max)
{
	a->status = args_refuse(a,
	    "%s: more than %d; use a prefix, or leave it out for all", option,
	    max);
	return -1;
}

int
selection_topic(struct selection *s, struct args *a, const char *value)
{
	struct pattern pattern;

	if (!utf8_is_valid(text_of(value)) ||
	    filter_read_pattern(text_of(value), &pattern) != 0)
		return refuse_name(a, "--topic", value);
	if (s->n_topics == FILTER_TOPICS_MAX)
		return refuse_count(a, "--topic", FILTER_TOPICS_MAX);
	s->topics[s->n_topics++] = pattern;
	return 0;
}

int
selection_event(struct selection *s, struct args *a, const char *value)
{
	if (!utf8_is_valid(text_of(value)) || !filter_is_name(text_of(value)))
		return refuse_name(a, "--event", value);
	if (s->n_names == FILTER_NAMES_MAX)
		return refuse_count(a, "--event", FILTER_NAMES_MAX);
	s->names[s->n_names++] = text_of(value);
	return 0;
}

int
selection_since(struct selection *s, struct args *a, const char *value)
{
	if (start_parse(text_of(value), &s->start, &s->value) == 0)
		return 0;
	a->status = args_refuse(a,
	    "--since '%.80s': give an id, earliest, last:N, or a time such as"
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
