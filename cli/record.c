/*
 * An event as output.  Gaps and resets are written in the shape of an event, so
 * that a program that reads the output needs only one parser.
 */
#include "record.h"

#include <stdio.h>
#include <time.h>

#include "lib/sse.h"
#include "json.h"

#define RETRY_MS 3000 /* the responder's default */
#define NOTICE_MAX 256

/* RFC 3339 in UTC, or the bare number where the calendar ends. */
static void
add_time(struct buffer *b, int64_t created_ms)
{
	time_t seconds = (time_t)(created_ms / 1000);
	char text[64];
	struct tm tm;

	if (created_ms < 0 || gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buffer_print(b, "%" PRId64, created_ms);
	else
		buffer_add_string(b, text);
}

static void
add_line(struct buffer *b, const struct event *e)
{
	buffer_print(b, "%" PRId64 "\t", e->id);
	add_time(b, e->created_ms);
	buffer_add_string(b, "\t");
	buffer_escape(b, e->topic, "");
	buffer_add_string(b, "\t");
	buffer_escape(b, e->name, "");
	buffer_add_string(b, "\t");
	buffer_escape(b, e->data, "");
	buffer_add_string(b, "\n");
}

static void
add_json(struct buffer *b, const struct event *e)
{
	json_open(b, NULL, '{');
	json_number(b, "id", e->id);
	if (e->topic.len > 0)
		json_text(b, "topic", e->topic);
	if (!text_is(e->name, EVENT_DEFAULT_NAME))
		json_text(b, "event", e->name);
	json_text(b, "data", e->data);
	if (e->retry_ms != EVENT_NO_RETRY)
		json_number(b, "retry", e->retry_ms);
	if (e->key.bytes != NULL)
		json_text(b, "key", e->key);
	json_number(b, "created_ms", e->created_ms);
	json_close(b, '}');
	buffer_add_string(b, "\n");
}

void
record_add(struct buffer *b, enum record_form form, const struct event *e)
{
	char *room;

	switch (form) {
	case RECORD_LINE:
		add_line(b, e);
		break;
	case RECORD_JSON:
		add_json(b, e);
		break;
	case RECORD_SSE:
		room = buffer_room(b, sse_len(e));
		if (room != NULL)
			(void)sse_encode(e, room); /* sse_len(e) bytes */
		break;
	}
}

void
record_start(struct buffer *b, enum record_form form, int64_t cursor)
{
	if (form == RECORD_SSE)
		buffer_print(b, SSE_START, (int64_t)RETRY_MS, cursor);
}

void
record_silence(struct buffer *b, enum record_form form, int64_t cursor)
{
	if (form != RECORD_SSE)
		return;
	buffer_add_string(b, SSE_KEEPALIVE);
	if (cursor > 0)
		buffer_print(b, SSE_CURSOR, cursor);
}

/* A notice as a line of JSON: an event without an id. */
static void
add_json_notice(struct buffer *b, const char *name, const char *data)
{
	json_open(b, NULL, '{');
	json_string(b, "event", name);
	json_string(b, "data", data);
	json_close(b, '}');
	buffer_add_string(b, "\n");
}

void
record_gap(struct buffer *b, enum record_form form, int64_t after, int64_t next)
{
	char data[NOTICE_MAX];

	(void)snprintf(data, sizeof(data), SSE_GAP_DATA, after, next);
	if (form == RECORD_JSON)
		add_json_notice(b, SSE_GAP_NAME, data);
	else if (form == RECORD_SSE)
		buffer_print(b, SSE_GAP, after, next);
	else
		buffer_print(b,
		    "-- gap: events after %" PRId64 " were removed; from"
		    " %" PRId64 " on the log is complete\n",
		    after, next);
}

void
record_reset(struct buffer *b, enum record_form form, int64_t after,
    int64_t head)
{
	char data[NOTICE_MAX];

	(void)snprintf(data, sizeof(data), SSE_RESET_DATA, after, head);
	if (form == RECORD_JSON)
		add_json_notice(b, SSE_RESET_NAME, data);
	else if (form == RECORD_SSE)
		buffer_print(b, SSE_RESET, head, after, head);
	else
		buffer_print(b,
		    "-- reset: the log was replaced or restored and now ends at"
		    " %" PRId64 ": discard what was read up to %" PRId64 "\n",
		    head, after);
}
