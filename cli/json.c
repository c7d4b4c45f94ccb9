/*
 * JSON into a buffer.  The last byte shows whether a comma is needed: it is,
 * unless that byte has opened a bracket or ended a line.
 */
#include "json.h"

#include <inttypes.h>

static void
add_char(struct buffer *b, char c)
{
	buffer_add(b, &c, 1);
}

static void
add_quoted(struct buffer *b, struct text t)
{
	add_char(b, '"');
	buffer_escape(b, t, "\"\\");
	add_char(b, '"');
}

/* Write what precedes a value: a comma, and the name of the member. */
static void
begin(struct buffer *b, const char *name)
{
	char last = b->len > 0 ? b->bytes[b->len - 1] : '\n';

	if (last != '{' && last != '[' && last != '\n')
		add_char(b, ',');
	if (name == NULL)
		return;
	add_quoted(b, text_of(name));
	add_char(b, ':');
}

void
json_open(struct buffer *b, const char *name, char bracket)
{
	begin(b, name);
	add_char(b, bracket);
}

void
json_close(struct buffer *b, char bracket)
{
	add_char(b, bracket);
}

void
json_text(struct buffer *b, const char *name, struct text value)
{
	begin(b, name);
	add_quoted(b, value);
}

void
json_string(struct buffer *b, const char *name, const char *value)
{
	json_text(b, name, text_of(value));
}

void
json_number(struct buffer *b, const char *name, int64_t value)
{
	begin(b, name);
	buffer_print(b, "%" PRId64, value);
}

void
json_bool(struct buffer *b, const char *name, bool value)
{
	begin(b, name);
	buffer_add_string(b, value ? "true" : "false");
}

void
json_null(struct buffer *b, const char *name)
{
	begin(b, name);
	buffer_add_string(b, "null");
}
