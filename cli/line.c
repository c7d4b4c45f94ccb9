/*
 * One line of NDJSON.  A member that we do not know, or that comes twice, is
 * refused: it is a mistake that would otherwise be found late.
 */
#include "line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

#define ECHO_MAX 40

enum member {
	MEMBER_TOPIC,
	MEMBER_EVENT,
	MEMBER_DATA,
	MEMBER_RETRY,
	MEMBER_KEY,
	MEMBER_ID,
	MEMBER_CREATED,
	MEMBER_COUNT,
};

static const char *const names[MEMBER_COUNT] = {
	[MEMBER_TOPIC] = "topic",
	[MEMBER_EVENT] = "event",
	[MEMBER_DATA] = "data",
	[MEMBER_RETRY] = "retry",
	[MEMBER_KEY] = "key",
	[MEMBER_ID] = "id",
	[MEMBER_CREATED] = "created_ms",
};

/*
 * A line on its way.  Values are lent, so they are copied into the backing;
 * all together they are no longer than the text that they stand in.
 */
struct reading {
	struct line *line;
	size_t cap;
	size_t used;
	unsigned seen;
	char *why;
};

__attribute__((format(printf, 2, 3))) static bool
refuse(const struct reading *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(r->why, LOG_WHY_MAX, format, args) < 0)
		r->why[0] = '\0';
	va_end(args);
	return false;
}

static bool
find_member(const struct reading *r, struct text name, enum member *member)
{
	char echo[ECHO_MAX + 1];

	for (int i = 0; i < MEMBER_COUNT; i++)
		if (strlen(names[i]) == name.len &&
		    memcmp(names[i], name.bytes, name.len) == 0) {
			*member = (enum member)i;
			return true;
		}
	(void)snprintf(echo, sizeof(echo), "%.*s",
	    (int)(name.len < ECHO_MAX ? name.len : ECHO_MAX), name.bytes);
	return refuse(r,
	    "there is no member \"%s\"; there are topic, event, data, retry"
	    " and key",
	    echo);
}

static bool
keep(struct reading *r, struct text *value)
{
	char *to = r->line->backing + r->used;

	if (value->len >= r->cap - r->used) /* a NUL goes behind it */
		return refuse(r, "a value is longer than its JSON text");
	if (value->len > 0)
		memcpy(to, value->bytes, value->len);
	to[value->len] = '\0';
	value->bytes = to;
	r->used += value->len + 1;
	return true;
}

static bool
take_text(struct reading *r, enum member member, struct text value,
    const char *type, struct text *field)
{
	if (member != MEMBER_DATA && strcmp(type, "text") != 0)
		return refuse(r, "\"%s\" must be a string", names[member]);
	if (!keep(r, &value))
		return false;
	*field = value;
	return true;
}

static bool
take_retry(struct reading *r, struct text value, const char *type)
{
	int64_t ms;

	if (strcmp(type, "integer") != 0 || !keep(r, &value) ||
	    value_number(value.bytes, 0, EVENT_RETRY_MAX_MS, &ms) != 0)
		return refuse(r,
		    "\"%s\" must be a whole number of milliseconds from 0 to"
		    " 86400000",
		    names[MEMBER_RETRY]);
	r->line->event.retry_ms = ms;
	return true;
}

static bool
take_value(struct reading *r, enum member member, struct text value,
    const char *type)
{
	struct event *e = &r->line->event;

	switch (member) {
	case MEMBER_TOPIC:
		return take_text(r, member, value, type, &e->topic);
	case MEMBER_EVENT:
		return take_text(r, member, value, type, &e->name);
	case MEMBER_DATA:
		return take_text(r, member, value, type, &e->data);
	case MEMBER_KEY:
		return take_text(r, member, value, type, &e->key);
	case MEMBER_RETRY:
		return take_retry(r, value, type);
	default:
		return true; /* of an export: the log gives its own */
	}
}

static bool
on_member(void *cookie, size_t index, struct text name, struct text value,
    const char *type)
{
	struct reading *r = cookie;
	enum member member = MEMBER_COUNT;

	(void)index;
	if (name.bytes == NULL) /* of an array, log_read_json() tells later */
		return r->seen == 0;
	if (!find_member(r, name, &member))
		return false;
	if ((r->seen & 1u << member) != 0)
		return refuse(r, "\"%s\" is there twice", names[member]);
	r->seen |= 1u << member;
	return strcmp(type, "null") == 0 || take_value(r, member, value, type);
}

static enum log_result
judge(struct reading *r, enum log_result result, bool is_array)
{
	if (is_array)
		(void)snprintf(r->why, LOG_WHY_MAX,
		    "it is an array: one object on each line");
	else if (result == LOG_OK && r->line->event.data.bytes == NULL)
		(void)snprintf(r->why, LOG_WHY_MAX, "there is no \"data\"");
	else
		return result;
	return LOG_REFUSED;
}

enum log_result
line_read(struct log_json *json, struct text text, struct line *line,
    char why[LOG_WHY_MAX])
{
	struct reading r = { .line = line, .why = why };
	enum log_result result;
	bool is_array = false;

	*line = (struct line){
		.event = { .topic = { "", 0 },
		    .name = { EVENT_DEFAULT_NAME,
			sizeof(EVENT_DEFAULT_NAME) - 1 },
		    .retry_ms = EVENT_NO_RETRY },
	};
	why[0] = '\0';
	r.cap =
	    text.len + 1; /* each value's NUL: JSON has a '"' or ',' there */
	line->backing = malloc(r.cap);
	if (line->backing == NULL) {
		(void)snprintf(why, LOG_WHY_MAX, "out of memory");
		return LOG_NO_MEMORY;
	}
	result = log_read_json(json, text, &is_array, on_member, &r, why);
	result = judge(&r, result, is_array);
	if (result != LOG_OK)
		line_free(line);
	return result;
}

void
line_free(struct line *line)
{
	free(line->backing);
	*line = (struct line){ 0 };
}

bool
line_is_blank(struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(" \t\r", text.bytes[i]) == NULL ||
		    text.bytes[i] == '\0')
			return false;
	return true;
}
