/*
 * The fields of an event by name.
 *
 * An unknown or repeated field is refused, because the sender would notice such
 * a mistake late.
 */
#include "fields.h"

#include <string.h>

#include "lib/form.h"

#define ECHO_MAX 40 /* bytes of an unknown name that a detail repeats */

enum field {
	FIELD_TOPIC,
	FIELD_EVENT,
	FIELD_DATA,
	FIELD_RETRY,
	FIELD_KEY,
	FIELD_ID,
	FIELD_CREATED,
	FIELD_COUNT,
};

static const char *const names[FIELD_COUNT] = {
	[FIELD_TOPIC] = "topic",
	[FIELD_EVENT] = "event",
	[FIELD_DATA] = "data",
	[FIELD_RETRY] = "retry",
	[FIELD_KEY] = "key",
	[FIELD_ID] = "id",
	[FIELD_CREATED] = "created_ms",
};

/* One bit for each field that a kind accepts, and their names for a detail. */
static const struct {
	unsigned known;
	const char *list;
} kinds[] = {
	[FIELDS_EVENT] = { 0x1f, "topic, event, data, retry and key" },
	[FIELDS_EXPORT] = { 0x7f, "topic, event, data, retry and key" },
	[FIELDS_PLAIN_QUERY] = { 0x1b, "topic, event, retry and key" },
	[FIELDS_STREAM_QUERY] = { 0x11, "topic and key" },
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

void
fields_begin(struct fields *f, struct event *e)
{
	*e = (struct event){
		.topic = { "", 0 },
		.name = text_of(EVENT_DEFAULT_NAME),
		.retry_ms = EVENT_NO_RETRY,
	};
	f->event = e;
	f->seen = 0;
}

int
fields_end(struct fields *f)
{
	if (f->event->data.bytes != NULL)
		return 0;
	return problem_set(f->problem, 400,
	    "%sThere is no data.  Send a field \"data\", which may be empty.",
	    f->where);
}

bool
fields_is_browser_name(struct text name)
{
	return text_is(name, "error") || text_is(name, "open");
}

int
fields_retry(struct text value, int64_t *ms)
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
take_retry(struct fields *f, struct text value, const char *type)
{
	if ((type == NULL || strcmp(type, "integer") == 0) &&
	    fields_retry(value, &f->event->retry_ms) == 0)
		return 0;
	return problem_set(f->problem, 400,
	    "%s\"retry\" must be a whole number of milliseconds from 0 to %d.",
	    f->where, EVENT_RETRY_MAX_MS);
}

/* Find a field that is accepted and has not been seen. */
static int
find(struct fields *f, struct text name, enum field *field)
{
	size_t i = text_find(name, names, FIELD_COUNT);
	char echo[ECHO_MAX + 1];

	*field = (enum field)i;
	echo_name(name, echo);
	if ((kinds[f->kind].known & 1u << i) == 0)
		return problem_set(f->problem, 400,
		    "%sThere is no field \"%s\"; there are %s.", f->where, echo,
		    kinds[f->kind].list);
	if ((f->seen & 1u << i) != 0)
		return problem_set(f->problem, 400,
		    "%sThe field \"%s\" appears twice.", f->where, echo);
	return 0;
}

int
fields_take(struct fields *f, struct text name, struct text value,
    const char *type)
{
	struct text *const texts[FIELD_COUNT] = {
		[FIELD_TOPIC] = &f->event->topic,
		[FIELD_EVENT] = &f->event->name,
		[FIELD_DATA] = &f->event->data,
		[FIELD_KEY] = &f->event->key,
	};
	enum field field;

	if (find(f, name, &field) != 0)
		return -1;
	f->seen |= 1u << field;
	if (field >= FIELD_ID || (type != NULL && strcmp(type, "null") == 0))
		return 0;
	if (field == FIELD_RETRY)
		return take_retry(f, value, type);
	if (type != NULL && strcmp(type, "text") != 0 && field != FIELD_DATA)
		return problem_set(f->problem, 400,
		    "%s\"%s\" must be a string.", f->where, names[field]);
	if (field == FIELD_EVENT && f->kind != FIELDS_EXPORT &&
	    fields_is_browser_name(value))
		return problem_set(f->problem, 400,
		    "%sThe event name \"%.*s\" is refused: browsers fire "
		    "events of this name themselves, so on%.*s would be called "
		    "as if the connection had changed.  Choose another name.",
		    f->where, (int)value.len, value.bytes, (int)value.len,
		    value.bytes);
	/* in an event, NULL means absent */
	*texts[field] = value.bytes != NULL ? value : text_of("");
	return 0;
}

int
fields_take_form(struct fields *f, char *bytes, size_t len)
{
	struct form_rest rest = { bytes, len };
	enum form_result result;
	struct form_pair pair;
	char echo[ECHO_MAX + 1];

	while ((result = form_next(&rest, &pair)) == FORM_PAIR)
		if (fields_take(f, pair.name, pair.value, NULL) != 0)
			return -1;
	if (result == FORM_END)
		return 0;
	echo_name(pair.name, echo);
	return problem_set(f->problem, 400,
	    "The %s is malformed at \"%s\": two hex digits must follow each %%,"
	    " and the decoded text must be UTF-8.",
	    f->kind == FIELDS_EVENT ? "form" : "query", echo);
}
