/*
 * The request of a client: CGI variables in, a struct request or a problem out.
 * Invariant: a parameter of ours that is accepted was understood to the last
 * byte.  start.c reads where to start, accept.c reads Accept.
 */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/form.h"
#include "accept.h"

/* Query parameters of ours.  The last ones say where to start; of these, the
   first that is given counts. */
enum { TOPIC, EVENT, HELLO, STARTS, N_PARAMETERS = 6 };
static const char *const parameters[N_PARAMETERS] = {
	"topic",
	"event",
	"hello",
	"last_event_id",
	"lastEventId",
	"since",
};

/* The query, parameter by parameter, before it is checked as a whole. */
struct asked {
	struct pattern topics[FILTER_TOPICS_MAX];
	size_t n_topics;
	struct text names[FILTER_NAMES_MAX];
	size_t n_names;
	struct text starts[N_PARAMETERS]; /* by parameter, from STARTS on */
	struct text hello;
};

static int
refuse_name(const char *parameter, struct problem *p)
{
	return problem_set(p, 400,
	    "The parameter \"%s\" takes at most %d bytes of UTF-8, without "
	    "line breaks and NUL.",
	    parameter, EVENT_NAME_MAX);
}

static int
refuse_count(const char *parameter, int max, struct problem *p)
{
	return problem_set(p, 400,
	    "The parameter \"%s\" may be given at most %d times. Ask for a "
	    "prefix or for everything, or open a second stream.",
	    parameter, max);
}

static int
take_topic(struct asked *a, struct text value, struct problem *p)
{
	struct pattern pattern;

	if (filter_read_pattern(value, &pattern) != 0)
		return refuse_name("topic", p);
	if (a->n_topics == FILTER_TOPICS_MAX)
		return refuse_count("topic", FILTER_TOPICS_MAX, p);
	a->topics[a->n_topics++] = pattern;
	return 0;
}

static int
take_event(struct asked *a, struct text value, struct problem *p)
{
	if (!filter_is_name(value))
		return refuse_name("event", p);
	if (a->n_names == FILTER_NAMES_MAX)
		return refuse_count("event", FILTER_NAMES_MAX, p);
	a->names[a->n_names++] = value;
	return 0;
}

static int
take_hello(struct asked *a, struct text value, struct problem *p)
{
	if (!filter_is_name(value))
		return refuse_name("hello", p);
	if (text_begins(value, EVENT_RESERVED))
		return problem_set(p, 400,
		    "The parameter \"hello\" takes an event name that does "
		    "not begin with \"" EVENT_RESERVED "\": those are "
		    "rowcast's own.");
	if (a->hello.len == 0)
		a->hello = value;
	return 0;
}

static int
take_pair(struct asked *a, const struct form_pair *pair, struct problem *p)
{
	size_t i = text_find(pair->name, parameters, N_PARAMETERS);

	if (i == TOPIC)
		return take_topic(a, pair->value, p);
	if (i == EVENT)
		return take_event(a, pair->value, p);
	if (i == HELLO)
		return take_hello(a, pair->value, p);
	if (i < N_PARAMETERS && a->starts[i].len == 0)
		a->starts[i] = pair->value;
	return 0; /* other parameters: cache busters and the like */
}

/* A pair could not be decoded.  Refuse it if it may be one of ours. */
static int
check_malformed(const struct form_pair *pair, struct problem *p)
{
	size_t i = text_find(pair->name, parameters, N_PARAMETERS);

	if (i < N_PARAMETERS)
		problem_set(p, 400,
		    "The parameter \"%s\" must be percent-encoded UTF-8; a "
		    "percent sign itself is %%25.",
		    parameters[i]);
	else if (pair->name.len == 0)
		problem_set(p, 400,
		    "The name of a query parameter must be percent-encoded "
		    "UTF-8; a percent sign itself is %%25.");
	else
		return 0;
	return -1;
}

static int
read_query(char *query, struct asked *a, struct problem *p)
{
	struct form_rest rest = { query, strlen(query) };
	struct form_pair pair;

	for (;;) {
		switch (form_next(&rest, &pair)) {
		case FORM_PAIR:
			if (take_pair(a, &pair, p) < 0)
				return -1;
			break;
		case FORM_MALFORMED:
			if (check_malformed(&pair, p) < 0)
				return -1;
			break;
		case FORM_END:
			return 0;
		}
	}
}

static int
read_start(const char *header, const struct asked *a, struct request *r,
    struct problem *p)
{
	const char *name = "Last-Event-ID";
	struct text value = text_of(header);

	for (size_t i = STARTS; value.len == 0 && i < N_PARAMETERS; i++) {
		name = parameters[i];
		value = a->starts[i];
	}
	if (value.len == 0)
		return 0;
	if (start_parse(value, &r->start, &r->value) == 0)
		return 0;
	return problem_set(p, 400,
	    "%s \"%s\" takes the id of an event (0 to 9223372036854775807), "
	    "\"earliest\", \"last:N\" with N from 1, or a time such as "
	    "2026-01-31T12:00:00Z or 2026-01-31T13:00:00.250+01:00.",
	    value.bytes == header ? "The header" : "The parameter", name);
}

static int
read_method(const char *name, enum request_method *method, struct problem *p)
{
	static const char *const methods[] = {
		[REQUEST_GET] = "GET",
		[REQUEST_HEAD] = "HEAD",
		[REQUEST_OPTIONS] = "OPTIONS",
	};
	const size_t n = sizeof(methods) / sizeof(methods[0]);
	size_t i = text_find(text_of(name), methods, n);

	if (i < n) {
		*method = (enum request_method)i;
		return 0;
	}
	problem_set(p, 405,
	    "A stream is asked for with GET. To publish, use "
	    "rowcast-publish.cgi.");
	p->header = "Allow: GET, HEAD, OPTIONS";
	return -1;
}

/* An absent variable counts as an empty one. */
static const char *
var(const char *const *vars, const char *name)
{
	const char *value = form_var(vars, name);

	return value != NULL ? value : "";
}

/* Read what a stream needs; a preflight may lack it. */
static int
read_stream(const char *const *vars, struct asked *a, struct request *r,
    struct problem *p)
{
	if (accept_find(var(vars, "HTTP_ACCEPT"), "text", "event-stream") ==
	    ACCEPT_NOT)
		return problem_set(p, 406,
		    "A stream is text/event-stream, which the header "
		    "\"Accept\" rules out.");
	r->query = strdup(var(vars, "QUERY_STRING"));
	if (r->query == NULL)
		return problem_memory(p);
	if (read_query(r->query, a, p) < 0)
		return -1;
	if (read_start(var(vars, "HTTP_LAST_EVENT_ID"), a, r, p) < 0)
		return -1;
	r->hello = a->hello;
	return 0;
}

/* The caller frees what r holds, also on -1. */
static int
read_all(const char *const *vars, struct request *r, struct problem *p)
{
	struct asked asked = { 0 };

	if (read_method(var(vars, "REQUEST_METHOD"), &r->method, p) < 0)
		return -1;
	r->origin = var(vars, "HTTP_ORIGIN");
	if (r->method != REQUEST_OPTIONS && read_stream(vars, &asked, r, p) < 0)
		return -1;
	r->filter = filter_new(asked.topics, asked.n_topics, asked.names,
	    asked.n_names);
	return r->filter != NULL ? 0 : problem_memory(p);
}

int
request_parse(const char *const *vars, struct request *r, struct problem *p)
{
	*r = (struct request){ .start = START_NOW };
	if (read_all(vars, r, p) == 0)
		return 0;
	request_free(r);
	return -1;
}

void
request_free(struct request *r)
{
	filter_free(r->filter);
	free(r->query);
	*r = (struct request){ .start = START_NOW };
}
