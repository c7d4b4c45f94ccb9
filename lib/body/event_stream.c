/*
 * One event of a text/event-stream → an event of ours.
 *
 * As a browser reads it, but for two things: each event is looked at by itself,
 * so an id counts for the event in which it stands; and a retry counts for that
 * event too, as rowcast sends it.
 */
#include "event_stream.h"

#include <stdbool.h>
#include <string.h>

struct reading {
	char *arena;
	size_t used;
	struct text name;
	struct text id;
	size_t data; /* begins here in the arena */
	bool has_data;
	int64_t retry_ms;
};

/* Copy into the arena. */
static struct text
keep(struct reading *r, struct text value)
{
	char *to = r->arena + r->used;

	if (value.len > 0)
		memcpy(to, value.bytes, value.len);
	r->used += value.len;
	return (struct text){ to, value.len };
}

static void
take_retry(struct reading *r, struct text value)
{
	int64_t ms = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (value.bytes[i] < '0' || value.bytes[i] > '9')
			return;
		ms = ms * 10 + (value.bytes[i] - '0');
		if (ms > EVENT_RETRY_MAX_MS)
			return;
	}
	if (value.len > 0)
		r->retry_ms = ms;
}

/* Data is kept as it comes: no other value is kept before all are read. */
static void
take_field(struct reading *r, struct text field, struct text value)
{
	if (text_is(field, "data")) {
		if (r->has_data)
			r->arena[r->used++] = '\n';
		r->has_data = true;
		(void)keep(r, value);
	} else if (text_is(field, "event")) {
		r->name = value;
	} else if (text_is(field, "id")) {
		if (memchr(value.bytes, '\0', value.len) == NULL)
			r->id = value;
	} else if (text_is(field, "retry")) {
		take_retry(r, value);
	}
}

static void
take_line(struct reading *r, struct text line)
{
	const char *colon = memchr(line.bytes, ':', line.len);
	struct text field = line, value = { "", 0 };

	if (colon == line.bytes) /* a comment */
		return;
	if (colon != NULL) {
		field.len = (size_t)(colon - line.bytes);
		value.bytes = colon + 1;
		value.len = line.len - field.len - 1;
		if (value.len > 0 && value.bytes[0] == ' ') {
			value.bytes++;
			value.len--;
		}
	}
	take_field(r, field, value);
}

/* An empty line in between is half of a CRLF: it says nothing. */
static void
take_lines(struct reading *r, struct text block)
{
	size_t begin = 0;

	for (size_t i = 0; i <= block.len; i++) {
		if (i < block.len && block.bytes[i] != '\n' &&
		    block.bytes[i] != '\r')
			continue;
		if (i > begin)
			take_line(r,
			    (struct text){ block.bytes + begin, i - begin });
		begin = i + 1;
	}
}

static struct text
make_key(struct reading *r, struct text prefix)
{
	struct text key = { r->arena + r->used, prefix.len + r->id.len };

	(void)keep(r, prefix);
	(void)keep(r, r->id);
	return key;
}

enum event_stream_result
event_stream_read(struct text block, const struct event_stream_defaults *d,
    char *arena, size_t *used, struct event *e)
{
	struct reading r = {
		.arena = arena,
		.used = *used,
		.data = *used,
		.retry_ms = EVENT_NO_RETRY,
	};

	take_lines(&r, block);
	if (!r.has_data)
		return EVENT_STREAM_NOTHING;
	if (text_begins(r.name, EVENT_RESERVED))
		return EVENT_STREAM_OTHER;
	*e = (struct event){
		.topic = { d->topic.len > 0 ? d->topic.bytes : "",
		    d->topic.len },
		.data = { arena + r.data, r.used - r.data },
		.retry_ms = r.retry_ms,
	};
	e->name =
	    r.name.len > 0 ? keep(&r, r.name) : text_of(EVENT_DEFAULT_NAME);
	if (d->key.bytes != NULL && r.id.len > 0)
		e->key = make_key(&r, d->key);
	*used = r.used;
	return EVENT_STREAM_EVENT;
}
