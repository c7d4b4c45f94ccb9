/*
 * The media type of a body, and its charset: the log holds UTF-8 and rowcast
 * does not convert, so another charset is refused instead of stored as if it
 * were UTF-8.
 */
#include "media.h"

#include <string.h>

static const char *const types[] = {
	[MEDIA_UNKNOWN] = "",
	[MEDIA_FORM] = "application/x-www-form-urlencoded",
	[MEDIA_JSON] = "application/json",
	[MEDIA_PLAIN] = "text/plain",
	[MEDIA_NDJSON] = "application/x-ndjson",
	[MEDIA_EVENT_STREAM] = "text/event-stream",
};

/* Returns the end of the parameter (name=value or name="value"); NULL if it is
   malformed, or a charset other than UTF-8. */
static const char *
skip_parameter(const char *at)
{
	size_t name_len = strcspn(at, "=; \t\"");
	const char *value = at + name_len + 1;
	size_t len;
	bool is_quoted;

	if (name_len == 0 || at[name_len] != '=')
		return NULL;
	is_quoted = *value == '"';
	if (is_quoted)
		value++;
	len = strcspn(value, is_quoted ? "\"\\" : "=; \t\"");
	if (is_quoted ? value[len] != '"' : len == 0)
		return NULL;
	if (text_is_word((struct text){ at, name_len }, "charset") &&
	    !text_is_word((struct text){ value, len }, "utf-8"))
		return NULL;
	return value + len + (is_quoted ? 1 : 0);
}

static bool
has_good_parameters(const char *at)
{
	for (;;) {
		at += strspn(at, " \t");
		if (*at == '\0')
			return true;
		if (*at != ';')
			return false;
		at++;
		at += strspn(at, " \t");
		if (*at == ';' || *at == '\0') /* an empty parameter */
			continue;
		at = skip_parameter(at);
		if (at == NULL)
			return false;
	}
}

enum media
media_find(const char *content_type)
{
	struct text type;

	if (content_type == NULL)
		return MEDIA_UNKNOWN;
	type = (struct text){ content_type, strcspn(content_type, "; \t") };
	if (!has_good_parameters(content_type + type.len))
		return MEDIA_UNKNOWN;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (text_is_word(type, types[i]))
			return (enum media)i;
	return MEDIA_UNKNOWN;
}

int
media_refuse(struct problem *p)
{
	return problem_set(p, 415,
	    "Content-Type must be application/json for JSON (curl:"
	    " -H 'Content-Type: application/json'),"
	    " application/x-www-form-urlencoded for a form, text/plain for data"
	    " alone, application/x-ndjson or text/event-stream, without a"
	    " charset or with utf-8.");
}

bool
media_is_json(struct text body)
{
	int first = text_first_byte(body);

	return first == '{' || first == '[';
}

/* "curl -d" sends a form, "curl -T" an event stream. */
int
media_refuse_json(enum media sent_as, struct problem *p)
{
	const char *type =
	    types[sent_as == MEDIA_FORM ? MEDIA_JSON : MEDIA_NDJSON];

	return problem_set(p, 415,
	    "The body is JSON, but was sent as %s: send the header"
	    " Content-Type: %s (curl: -H 'Content-Type: %s').",
	    sent_as == MEDIA_FORM ? "a form" : "an event stream", type, type);
}
