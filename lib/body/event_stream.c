/*
 * One event of a text/event-stream → an event for the log.
 *
 * Parsed as a browser does, with two differences: each event is parsed by
 * itself, so an id belongs only to the event that it stands in; and so does a
 * retry, because rowcast sends it with the event.
 */
#include "event_stream.h"

#include <stdbool.h>
#include <string.h>

#include "fields.h"

struct reading {
	char *arena;
	size_t used;
	struct text name;
	struct text id;
	size_t data; /* begins here in the arena */
	bool has_data;
	int64_t retry_ms;
};

static struct text
keep(struct reading *r, struct text value)
{
	char *to = r->arena + r->used;

	if (value.len > 0)
		memcpy(to, value.bytes, value.len);
	r->used += value.len;
	return (struct text){ to, value.len };
}

/* Data goes to the arena line by line, so no other value is copied there before
   all lines have been read. */
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
		(void)fields_retry(value, &r->retry_ms); /* or ignored */
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

/* An empty line within a block is the middle of a CRLF: ignore it. */
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

enum event_stream_result
event_stream_read(struct text block, const struct event *d, char *arena,
    size_t *used, struct event *e)
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
	if (d->key.bytes != NULL && r.id.len > 0) {
		e->key = keep(&r, d->key);
		e->key.len += keep(&r, r.id).len; /* right behind it */
	}
	*used = r.used;
	return EVENT_STREAM_EVENT;
}
