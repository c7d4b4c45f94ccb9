/*
 * A whole body → events.
 *
 * The fields of an event follow one set of rules, whether they come from a
 * form, from the query of a plain text, or from a JSON object.  An unknown or
 * repeated field is refused, because the sender would notice such a mistake
 * late.
 */
#include "body.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/form.h"
#include "lib/utf8.h"
#include "media.h"

#define ECHO_MAX 40 /* bytes of an unknown name that a detail repeats */

enum field {
	FIELD_TOPIC,
	FIELD_EVENT,
	FIELD_DATA,
	FIELD_RETRY,
	FIELD_KEY,
	FIELD_ID, /* from here on only in an export, and ignored */
	FIELD_CREATED,
	FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
	[FIELD_TOPIC] = "topic",
	[FIELD_EVENT] = "event",
	[FIELD_DATA] = "data",
	[FIELD_RETRY] = "retry",
	[FIELD_KEY] = "key",
	[FIELD_ID] = "id",
	[FIELD_CREATED] = "created_ms",
};

/*
 * One parse.
 *   n_fields how many of field_names are known here
 *   seen     one bit for each field of the last event that has come
 *   where    begins each detail: "", a line, or an index of an array
 *   arena    holds the values of JSON members
 */
struct parse {
	struct body *b;
	struct problem *p;
	size_t events_cap;
	enum field n_fields;
	unsigned seen;
	bool is_refused;
	bool is_line; /* one object; an array is refused */
	char where[48];
	char *arena;
	size_t arena_len;
	size_t arena_used;
};

/* Copy the printable part of a name that came from outside. */
static void
echo_name(struct text name, char out[static ECHO_MAX + 1])
{
	size_t n = name.len < ECHO_MAX ? name.len : ECHO_MAX;

	for (size_t i = 0; i < n; i++) {
		char c = name.bytes[i];

		out[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	out[n] = '\0';
}

static int
find_field(struct parse *s, struct text name, enum field *field)
{
	size_t i = text_find(name, field_names, s->n_fields);
	char echo[ECHO_MAX + 1];

	*field = (enum field)i;
	if (i < s->n_fields)
		return 0;
	echo_name(name, echo);
	problem_set(s->p, 400,
	    "%sThere is no field \"%s\"; there are topic, "
	    "event, data, retry and key.",
	    s->where, echo);
	return -1;
}

int
body_parse_retry(struct text value, int64_t *ms)
{
	int64_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (value.bytes[i] < '0' || value.bytes[i] > '9')
			return -1;
		n = n * 10 + (value.bytes[i] - '0');
		if (n > EVENT_RETRY_MAX_MS)
			return -1;
	}
	if (value.len == 0)
		return -1;
	*ms = n;
	return 0;
}

static int
refuse_retry(struct parse *s)
{
	problem_set(s->p, 400,
	    "%s\"retry\" must be a whole number of milliseconds from 0 to %d.",
	    s->where, EVENT_RETRY_MAX_MS);
	return -1;
}

/* Mark a field as seen; refuse it if it has been. */
static int
mark_field(struct parse *s, enum field field)
{
	if ((s->seen & 1u << field) != 0) {
		problem_set(s->p, 400, "%sThe field \"%s\" appears twice.",
		    s->where, field_names[field]);
		return -1;
	}
	s->seen |= 1u << field;
	return 0;
}

/* Set a field of the last event, which borrows the value. */
static int
take_field(struct parse *s, enum field field, struct text value)
{
	struct event *e = &s->b->events[s->b->n_events - 1];

	if (value.bytes == NULL) /* in an event, NULL means absent */
		value.bytes = "";
	switch (field) {
	case FIELD_TOPIC:
		e->topic = value;
		break;
	case FIELD_EVENT:
		e->name = value;
		break;
	case FIELD_DATA:
		e->data = value;
		break;
	case FIELD_RETRY:
		if (body_parse_retry(value, &e->retry_ms) != 0)
			return refuse_retry(s);
		break;
	case FIELD_KEY:
		e->key = value;
		break;
	case FIELD_ID:
	case FIELD_CREATED:
	case FIELD_COUNT:
		break;
	}
	return 0;
}

/* Add an event, which take_field() fills. */
static int
begin_event(struct parse *s)
{
	static const struct event fresh = {
		.topic = { "", 0 },
		.name = { EVENT_DEFAULT_NAME, sizeof(EVENT_DEFAULT_NAME) - 1 },
		.retry_ms = EVENT_NO_RETRY,
	};
	struct event *grown;
	size_t cap = s->events_cap;

	if (s->b->n_events == BODY_EVENTS_MAX) {
		problem_set(s->p, 413,
		    "There are more than %d events.  Send "
		    "them in several requests.",
		    BODY_EVENTS_MAX);
		return -1;
	}
	if (s->b->n_events == cap) {
		cap = cap == 0 ? 1 : cap * 2;
		grown = reallocarray(s->b->events, cap, sizeof(*grown));
		if (grown == NULL)
			return problem_memory(s->p);
		s->b->events = grown;
		s->events_cap = cap;
	}
	s->b->events[s->b->n_events++] = fresh;
	s->seen = 0;
	return 0;
}

static int
end_event(struct parse *s)
{
	assert(s->b->n_events > 0);
	if (s->b->events[s->b->n_events - 1].data.bytes != NULL)
		return 0;
	problem_set(s->p, 400,
	    "%sThere is no data.  Send a field \"data\", "
	    "which may be empty.",
	    s->where);
	return -1;
}

/* ---- forms, and the query beside a plain text ---- */

static int
take_pair(struct parse *s, const struct form_pair *pair, bool is_query)
{
	enum field field;

	if (find_field(s, pair->name, &field) != 0)
		return -1;
	if (is_query && field == FIELD_DATA) {
		problem_set(s->p, 400,
		    "With text/plain the body is the data: "
		    "leave \"data\" out of the query.");
		return -1;
	}
	if (mark_field(s, field) != 0)
		return -1;
	return take_field(s, field, pair->value);
}

static int
take_pairs(struct parse *s, char *bytes, size_t len, bool is_query)
{
	struct form_rest rest = { bytes, len };
	struct form_pair pair;
	enum form_result result;
	char echo[ECHO_MAX + 1];

	while ((result = form_next(&rest, &pair)) == FORM_PAIR) {
		if (take_pair(s, &pair, is_query) != 0)
			return -1;
	}
	if (result == FORM_END)
		return 0;
	echo_name(pair.name, echo);
	problem_set(s->p, 400,
	    "The %s is malformed at \"%s\": two hex digits must follow "
	    "each %%, and the decoded text must be UTF-8.",
	    is_query ? "query" : "form", echo);
	return -1;
}

static int
parse_form(struct parse *s, char *bytes, size_t len)
{
	if (begin_event(s) != 0 || take_pairs(s, bytes, len, false) != 0)
		return -1;
	return end_event(s);
}

static int
parse_plain(struct parse *s, const char *query, char *bytes, size_t len)
{
	struct text data = { bytes, len };
	char *copy;

	if (len == 0) {
		problem_set(s->p, 400,
		    "There is no data: the body is empty.  "
		    "An event with empty data can be sent as a form.");
		return -1;
	}
	if (!utf8_is_valid(data)) {
		problem_set(s->p, 400, "The body is not UTF-8.");
		return -1;
	}
	if (begin_event(s) != 0 || take_field(s, FIELD_DATA, data) != 0)
		return -1;
	if (query == NULL)
		return 0;
	copy = strdup(query); /* take_pairs() decodes it in place */
	if (copy == NULL)
		return problem_memory(s->p);
	s->b->backing = copy;
	return take_pairs(s, copy, strlen(copy), true);
}

/* ---- JSON ---- */

static int
check_type(struct parse *s, enum field field, const char *type)
{
	if (field == FIELD_DATA)
		return 0;
	if (field == FIELD_RETRY)
		return strcmp(type, "integer") == 0 ? 0 : refuse_retry(s);
	if (strcmp(type, "text") == 0)
		return 0;
	problem_set(s->p, 400, "%s\"%s\" must be a string.", s->where,
	    field_names[field]);
	return -1;
}

/* Copy a value into the arena.  The values of a JSON text are together not
   longer than the text, so they fit; if they did not, they would be refused. */
static int
keep_value(struct parse *s, struct text *value)
{
	char *to = s->arena + s->arena_used;

	if (value->len > s->arena_len - s->arena_used)
		return problem_memory(s->p);
	if (value->len > 0)
		memcpy(to, value->bytes, value->len);
	value->bytes = to;
	s->arena_used += value->len;
	return 0;
}

static int
take_member(struct parse *s, struct text name, struct text value,
    const char *type)
{
	enum field field;

	if (find_field(s, name, &field) != 0 || mark_field(s, field) != 0)
		return -1;
	if (strcmp(type, "null") == 0 || field >= FIELD_ID)
		return 0;
	if (check_type(s, field, type) != 0 || keep_value(s, &value) != 0)
		return -1;
	return take_field(s, field, value);
}

static int
begin_object(struct parse *s, size_t index)
{
	if (index > 0 && end_event(s) != 0)
		return -1;
	if (s->b->is_array && s->is_line) {
		problem_set(s->p, 400, "%sIt is an array, not an object.",
		    s->where);
		return -1;
	}
	if (s->b->is_array)
		(void)snprintf(s->where, sizeof(s->where),
		    "At index %zu of the array: ", index);
	return begin_event(s);
}

static bool
on_member(void *cookie, size_t index, struct text name, struct text value,
    const char *type)
{
	struct parse *s = cookie;

	if (name.bytes == NULL)
		s->is_refused = begin_object(s, index) != 0;
	else
		s->is_refused = take_member(s, name, value, type) != 0;
	return !s->is_refused;
}

static int
read_json(struct parse *s, struct log_json *json, struct text text)
{
	char why[LOG_WHY_MAX];

	switch (log_read_json(json, text, &s->b->is_array, on_member, s, why)) {
	case LOG_OK:
		break;
	case LOG_REFUSED:
		if (!s->is_refused)
			problem_set(s->p, 400, "%sThe JSON is refused: %s.",
			    s->where, why);
		return -1;
	default:
		return problem_memory(s->p);
	}
	if (s->b->n_events == 0) {
		problem_set(s->p, 400,
		    "%sThere is no data: the array is empty.", s->where);
		return -1;
	}
	return end_event(s);
}

static int
parse_json(struct parse *s, struct log_json *json, const char *bytes,
    size_t len)
{
	s->arena_len = len;
	s->arena = malloc(len + 1); /* malloc(0) may return NULL */
	if (s->arena == NULL)
		return problem_memory(s->p);
	s->b->backing = s->arena;
	return read_json(s, json, (struct text){ bytes, len });
}

int
body_parse_line(struct log_json *json, struct text line, const char *where,
    bool is_export, char *arena, size_t *used, struct event *e,
    struct problem *p)
{
	struct body b = { .events = e };
	struct parse s = {
		.b = &b,
		.p = p,
		.events_cap = 1, /* a second event is refused before it */
		.n_fields = is_export ? FIELD_COUNT : FIELD_ID,
		.is_line = true,
		.arena = arena + *used,
		.arena_len = line.len,
	};

	(void)snprintf(s.where, sizeof(s.where), "%s", where);
	if (read_json(&s, json, line) != 0)
		return -1;
	*used += s.arena_used;
	return 0;
}

int
body_parse(struct log_json *json, const char *content_type, const char *query,
    char *bytes, size_t len, struct body *b, struct problem *p)
{
	struct parse s = { .b = b, .p = p, .n_fields = FIELD_ID };
	int result = -1;

	*b = (struct body){ 0 };
	switch (media_find(content_type)) {
	case MEDIA_FORM:
		result = parse_form(&s, bytes, len);
		break;
	case MEDIA_JSON:
		result = parse_json(&s, json, bytes, len);
		break;
	case MEDIA_PLAIN:
		result = parse_plain(&s, query, bytes, len);
		break;
	case MEDIA_NDJSON: /* these are for streamed.h */
	case MEDIA_EVENT_STREAM:
	case MEDIA_UNKNOWN:
		problem_set(p, 415,
		    "Content-Type must be application/x-www-form-urlencoded, "
		    "application/json, text/plain, application/x-ndjson or "
		    "text/event-stream, without a charset or with utf-8.");
		break;
	}
	if (result != 0)
		body_free(b);
	return result;
}

void
body_free(struct body *b)
{
	free(b->events);
	free(b->backing);
	*b = (struct body){ 0 };
}
