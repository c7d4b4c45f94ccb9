/*
 * What a client asks for: CGI variables in, a struct request or a problem out.
 * Invariant: of the parameters that are ours, what is accepted was understood
 * to the last byte.  Where to start is read by start.c, Accept by accept.c.
 */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/form.h"
#include "accept.h"

#define NO_MEMORY_RETRY_S 5

/* Query parameters that say where to start, the first one counts most. */
static const char *const start_names[] = {
	"last_event_id",
	"lastEventId",
	"since",
};

#define N_START_NAMES (sizeof start_names / sizeof start_names[0])

/* The query, parameter by parameter, before it is judged as a whole. */
struct asked {
	struct pattern topics[FILTER_TOPICS_MAX];
	size_t n_topics;
	struct text names[FILTER_NAMES_MAX];
	size_t n_names;
	struct text starts[N_START_NAMES];
	struct text hello;
};

static int
refuse_name(const char *parameter, struct problem *p)
{
	problem_set(p, 400,
	    "The parameter \"%s\" takes at most %d bytes of UTF-8, without "
	    "line breaks and NUL.",
	    parameter, EVENT_NAME_MAX);
	return -1;
}

static int
refuse_count(const char *parameter, int max, struct problem *p)
{
	problem_set(p, 400,
	    "The parameter \"%s\" may be given at most %d times. Ask for a "
	    "prefix or for everything, or open a second stream.",
	    parameter, max);
	return -1;
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
	if (text_begins(value, EVENT_RESERVED)) {
		problem_set(p, 400,
		    "The parameter \"hello\" takes an event name that does "
		    "not begin with \"" EVENT_RESERVED "\": those are "
		    "rowcast's own.");
		return -1;
	}
	if (a->hello.len == 0)
		a->hello = value;
	return 0;
}

static int
take_pair(struct asked *a, const struct form_pair *pair, struct problem *p)
{
	if (text_is(pair->name, "topic"))
		return take_topic(a, pair->value, p);
	if (text_is(pair->name, "event"))
		return take_event(a, pair->value, p);
	if (text_is(pair->name, "hello"))
		return take_hello(a, pair->value, p);
	for (size_t i = 0; i < N_START_NAMES; i++)
		if (text_is(pair->name, start_names[i]) &&
		    a->starts[i].len == 0)
			a->starts[i] = pair->value;
	return 0; /* parameters of others: cache busters and the like */
}

/* The pair that could not be decoded: is it any of our business? */
static int
judge_malformed(const struct form_pair *pair, struct problem *p)
{
	static const char *const others[] = { "topic", "event", "hello" };
	const char *ours = NULL;

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (text_is(pair->name, others[i]))
			ours = others[i];
	for (size_t i = 0; i < N_START_NAMES; i++)
		if (text_is(pair->name, start_names[i]))
			ours = start_names[i];
	if (ours != NULL)
		problem_set(p, 400,
		    "The parameter \"%s\" must be percent-encoded UTF-8; a "
		    "percent sign itself is %%25.",
		    ours);
	else if (pair->name.len == 0) /* it may be meant for us */
		problem_set(p, 400,
		    "The name of a query parameter must be percent-encoded "
		    "UTF-8; a percent sign itself is %%25.");
	return ours != NULL || pair->name.len == 0 ? -1 : 0;
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
			if (judge_malformed(&pair, p) < 0)
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

	for (size_t i = 0; value.len == 0 && i < N_START_NAMES; i++) {
		name = start_names[i];
		value = a->starts[i];
	}
	if (value.len == 0)
		return 0;
	if (start_parse(value, &r->start, &r->value) == 0)
		return 0;
	problem_set(p, 400,
	    "%s \"%s\" takes the id of an event (0 to 9223372036854775807), "
	    "\"earliest\", \"last:N\" with N from 1, or a time such as "
	    "2026-01-31T12:00:00Z or 2026-01-31T13:00:00.250+01:00.",
	    value.bytes == header ? "The header" : "The parameter", name);
	return -1;
}

static int
read_method(const char *name, enum request_method *method, struct problem *p)
{
	if (strcmp(name, "GET") == 0) {
		*method = REQUEST_GET;
	} else if (strcmp(name, "HEAD") == 0) {
		*method = REQUEST_HEAD;
	} else if (strcmp(name, "OPTIONS") == 0) {
		*method = REQUEST_OPTIONS;
	} else {
		problem_set(p, 405,
		    "A stream is asked for with GET. To publish, use "
		    "rowcast-publish.cgi.");
		p->header = "Allow: GET, HEAD, OPTIONS";
		return -1;
	}
	return 0;
}

static int
refuse_for_memory(struct problem *p)
{
	problem_set(p, 503, "The server is short of memory. Try again later.");
	p->retry_s = NO_MEMORY_RETRY_S;
	return -1;
}

/* An absent variable is an empty one: both mean that nothing was asked. */
static const char *
var(const char *const *vars, const char *name)
{
	const char *value = form_var(vars, name);

	return value != NULL ? value : "";
}

/* What only a stream needs, and a preflight need not get right. */
static int
read_wishes(const char *const *vars, struct asked *a, struct request *r,
    struct problem *p)
{
	if (!accept_has(var(vars, "HTTP_ACCEPT"), "text", "event-stream")) {
		problem_set(p, 406,
		    "A stream is text/event-stream, which the header "
		    "\"Accept\" rules out.");
		return -1;
	}
	r->query = strdup(var(vars, "QUERY_STRING"));
	if (r->query == NULL)
		return refuse_for_memory(p);
	if (read_query(r->query, a, p) < 0)
		return -1;
	if (read_start(var(vars, "HTTP_LAST_EVENT_ID"), a, r, p) < 0)
		return -1;
	r->hello = a->hello;
	return 0;
}

/* On -1, what r holds by then is the caller's to free. */
static int
read_all(const char *const *vars, struct request *r, struct problem *p)
{
	struct asked asked = { 0 };

	if (read_method(var(vars, "REQUEST_METHOD"), &r->method, p) < 0)
		return -1;
	r->origin = var(vars, "HTTP_ORIGIN");
	if (r->method != REQUEST_OPTIONS && read_wishes(vars, &asked, r, p) < 0)
		return -1;
	r->filter = filter_new(asked.topics, asked.n_topics, asked.names,
	    asked.n_names);
	return r->filter != NULL ? 0 : refuse_for_memory(p);
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
