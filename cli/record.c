/*
 * One event as it is shown.  What is not an event, gaps and resets, keeps the
 * shape of one, so that whoever reads the output needs no second parser.
 */
#include "record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/sse.h"
#include "escape.h"
#include "json.h"

#define RETRY_MS 3000 /* what the responder says unless told otherwise */
#define NOTICE_MAX 96

/* RFC 3339 in UTC, or the bare number where the calendar ends. */
static void
add_time(struct buffer *b, int64_t created_ms)
{
	time_t seconds = (time_t)(created_ms / 1000);
	char text[64];
	struct tm tm;

	if (created_ms < 0 || gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buffer_add_number(b, created_ms);
	else
		buffer_add_string(b, text);
}

static void
add_line(struct buffer *b, const struct event *e, int64_t created_ms)
{
	buffer_add_number(b, e->id);
	buffer_add_string(b, "\t");
	add_time(b, created_ms);
	buffer_add_string(b, "\t");
	escape_text(b, e->topic, "");
	buffer_add_string(b, "\t");
	escape_text(b, e->name, "");
	buffer_add_string(b, "\t");
	escape_text(b, e->data, "");
	buffer_add_string(b, "\n");
}

static bool
is_default_name(struct text name)
{
	return name.len == strlen(EVENT_DEFAULT_NAME) &&
	    memcmp(name.bytes, EVENT_DEFAULT_NAME, name.len) == 0;
}

static void
add_json(struct buffer *b, const struct event *e, int64_t created_ms)
{
	json_open(b, NULL, '{');
	json_number(b, "id", e->id);
	if (e->topic.len > 0)
		json_text(b, "topic", e->topic);
	if (!is_default_name(e->name))
		json_text(b, "event", e->name);
	json_text(b, "data", e->data);
	if (e->retry_ms != EVENT_NO_RETRY)
		json_number(b, "retry", e->retry_ms);
	if (e->key.bytes != NULL)
		json_text(b, "key", e->key);
	json_number(b, "created_ms", created_ms);
	json_close(b, '}');
	buffer_add_string(b, "\n");
}

void
record_add(struct buffer *b, enum record_form form, const struct event *e,
    int64_t created_ms)
{
	char *room;

	switch (form) {
	case RECORD_LINE:
		add_line(b, e, created_ms);
		break;
	case RECORD_JSON:
		add_json(b, e, created_ms);
		break;
	case RECORD_SSE:
		room = buffer_room(b, sse_len(e));
		if (room != NULL)
			(void)sse_encode(e, room); /* as long as it said */
		break;
	}
}

void
record_start(struct buffer *b, enum record_form form, int64_t cursor)
{
	char text[NOTICE_MAX];

	if (form != RECORD_SSE)
		return;
	(void)snprintf(text, sizeof(text), "retry: %d\nid: %" PRId64 "\n\n",
	    RETRY_MS, cursor);
	buffer_add_string(b, text);
}

void
record_silence(struct buffer *b, enum record_form form, int64_t cursor)
{
	char text[NOTICE_MAX] = ":\n\n";

	if (form != RECORD_SSE)
		return;
	if (cursor > 0)
		(void)snprintf(text, sizeof(text), ":\n\nid: %" PRId64 "\n\n",
		    cursor);
	buffer_add_string(b, text);
}

/* A notice that is no event has no id, but for the one that SSE clients are
   to take over. */
static void
add_notice(struct buffer *b, enum record_form form, const char *name,
    const char *id, const char *data)
{
	if (form == RECORD_JSON) {
		json_open(b, NULL, '{');
		json_string(b, "event", name);
		json_string(b, "data", data);
		json_close(b, '}');
		buffer_add_string(b, "\n");
		return;
	}
	buffer_add_string(b, "event: ");
	buffer_add_string(b, name);
	buffer_add_string(b, id);
	buffer_add_string(b, "\ndata: ");
	buffer_add_string(b, data);
	buffer_add_string(b, "\n\n");
}

void
record_gap(struct buffer *b, enum record_form form, int64_t after, int64_t next)
{
	char text[2 * NOTICE_MAX];

	if (form == RECORD_LINE) {
		(void)snprintf(text, sizeof(text),
		    "-- gap: events after %" PRId64 " have been removed; from"
		    " %" PRId64 " on all are there\n",
		    after, next);
		buffer_add_string(b, text);
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "{\"after\":%" PRId64 ",\"next\":%" PRId64 "}", after, next);
	add_notice(b, form, EVENT_RESERVED "gap", "", text);
}

void
record_reset(struct buffer *b, enum record_form form, int64_t after,
    int64_t head)
{
	char text[2 * NOTICE_MAX], id[NOTICE_MAX];

	if (form == RECORD_LINE) {
		(void)snprintf(text, sizeof(text),
		    "-- reset: the log was replaced or restored and ends at"
		    " %" PRId64 " now: what was read up to %" PRId64
		    " is void\n",
		    head, after);
		buffer_add_string(b, text);
		return;
	}
	(void)snprintf(id, sizeof(id), "\nid: %" PRId64, head);
	(void)snprintf(text, sizeof(text),
	    "{\"after\":%" PRId64 ",\"head\":%" PRId64 "}", after, head);
	add_notice(b, form, EVENT_RESERVED "reset", id, text);
}
