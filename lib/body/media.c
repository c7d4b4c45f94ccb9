/*
 * The media type of a request's body, and the one parameter that matters: the
 * log holds UTF-8 and nothing here converts, so another charset is refused
 * rather than stored as if it were UTF-8.
 */
#include "media.h"

#include <string.h>

#include "lib/text.h"

/* The end of name=value or name="value" at at; NULL if it is neither, or names
   a charset other than UTF-8. */
static const char *
pass_parameter(const char *at)
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
is_utf8_by_parameters(const char *at)
{
	for (;;) {
		at += strspn(at, " \t");
		if (*at == '\0')
			return true;
		if (*at != ';')
			return false;
		at++;
		at += strspn(at, " \t");
		if (*at == ';' || *at == '\0') /* they may be empty */
			continue;
		at = pass_parameter(at);
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
	if (!is_utf8_by_parameters(content_type + type.len))
		return MEDIA_UNKNOWN;
	if (text_is_word(type, "application/x-www-form-urlencoded"))
		return MEDIA_FORM;
	if (text_is_word(type, "application/json"))
		return MEDIA_JSON;
	if (text_is_word(type, "text/plain"))
		return MEDIA_PLAIN;
	if (text_is_word(type, "application/x-ndjson"))
		return MEDIA_NDJSON;
	if (text_is_word(type, "text/event-stream"))
		return MEDIA_EVENT_STREAM;
	return MEDIA_UNKNOWN;
}
