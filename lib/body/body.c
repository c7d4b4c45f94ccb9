/*
 * A body → events, parsed piece by piece.
 *
 * Values are copied into the arena, which has room for all that one piece can
 * complete, so pointers to them stay valid.
 */
#include "body.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "blocks.h"
#include "event_stream.h"
#include "fields.h"

_Static_assert(sizeof((struct fields){ 0 }.where) == BODY_WHERE_MAX,
    "body_where() writes fields.where");

struct body {
	struct body_options options;
	struct log *json;
	struct fields fields;
	char *query;           /* decoded in place; events borrow from it */
	struct event defaults; /* topic and key of an event stream */
	struct blocks blocks;
	struct body_facts facts;
	char *arena;
	size_t arena_cap;
	size_t used;
	struct event *events;
	uint64_t *begins; /* the line in which each begins */
	size_t n;
	size_t events_cap;
};

static int
refuse_length(struct body *b)
{
	body_where(b, b->n, b->fields.where);
	return problem_set(b->fields.problem, 413,
	    "%sThe %s is longer than %zu bytes, the limit of %s.",
	    b->fields.where,
	    !b->facts.is_streamed                ? "body" :
		b->options.media == MEDIA_NDJSON ? "line" :
						   "event",
	    b->options.max_bytes, b->options.limit_name);
}

/* Make room for values of len bytes in all.  If there are values already, there
   must be room. */
static int
make_arena(struct body *b, size_t len)
{
	if (len <= b->arena_cap)
		return 0;
	free(b->arena);
	b->arena_cap = 0;
	b->arena = malloc(len);
	if (b->arena == NULL)
		return problem_memory(b->fields.problem);
	b->arena_cap = len;
	return 0;
}

static struct event *
add_event(struct body *b)
{
	size_t cap = b->events_cap == 0 ? 8 : b->events_cap * 2;
	struct event *events;
	uint64_t *begins;

	if (b->n == b->events_cap) {
		events = reallocarray(b->events, cap, sizeof(*events));
		if (events != NULL)
			b->events = events;
		begins = reallocarray(b->begins, cap, sizeof(*begins));
		if (begins != NULL)
			b->begins = begins;
		if (events == NULL || begins == NULL) {
			(void)problem_memory(b->fields.problem);
			return NULL;
		}
		b->events_cap = cap;
	}
	b->begins[b->n] = b->blocks.block_line + 1;
	return &b->events[b->n++];
}

/* ---- JSON ---- */

static int
begin_object(struct body *b, size_t index)
{
	struct event *e;

	if (index > 0 && fields_end(&b->fields) != 0)
		return -1;
	if (index == BODY_EVENTS_MAX)
		return problem_set(b->fields.problem, 413,
		    "There are more than %d events.  Send them in several"
		    " requests.",
		    BODY_EVENTS_MAX);
	body_where(b, b->n, b->fields.where);
	if ((e = add_event(b)) == NULL)
		return -1;
	fields_begin(&b->fields, e);
	return 0;
}

/*
 * The values of a JSON text are together not longer than the text, unless a
 * name is repeated: SQLite returns the first value for both.  fields_take()
 * refuses such a member whatever its value is.
 */
static bool
on_member(void *cookie, size_t index, struct text name, struct text value,
    const char *type)
{
	struct body *b = cookie;
	char *copy = b->arena + b->used;
	bool fits = value.len <= b->arena_cap - b->used;

	if (name.bytes == NULL)
		return begin_object(b, index) == 0;
	if (fits && value.len > 0)
		memcpy(copy, value.bytes, value.len);
	value = (struct text){ copy, fits ? value.len : 0 };
	b->used += value.len;
	return fields_take(&b->fields, name, value, type) == 0 &&
	    (fits || problem_memory(b->fields.problem) == 0);
}

static int
take_json(struct body *b, struct text text)
{
	char why[LOG_WHY_MAX] = "";
	size_t before = b->n;

	body_where(b, before, b->fields.where);
	switch (log_read_json(b->json, text, &b->facts.is_array, on_member, b,
	    why)) {
	case LOG_OK:
		break;
	case LOG_REFUSED:
		if (why[0] != '\0') /* else on_member() has set the problem */
			problem_set(b->fields.problem, 400,
			    "%sThe JSON is refused: %s.%s", b->fields.where,
			    why,
			    b->facts.is_streamed &&
				    text.bytes[text.len - 1] != '}' ?
				"  Write each object on one line." :
				"");
		return -1;
	default:
		return problem_memory(b->fields.problem);
	}
	if (b->n > before)
		return fields_end(&b->fields);
	return problem_set(b->fields.problem, 400,
	    "%sThere is no data: the array is empty.", b->fields.where);
}

/* Take a line of JSON.  The line of another format is refused by its first
   character; the reason that the parser gives for it would not help. */
static int
take_line(struct body *b, struct text line)
{
	int first = text_first_byte(line);

	body_where(b, b->n, b->fields.where);
	if (text_begins(line, "\xef\xbb\xbf"))
		return problem_set(b->fields.problem, 400,
		    "%sIt begins with a byte order mark: remove the bytes"
		    " EF BB BF.",
		    b->fields.where);
	if (first < 0x80 && first != '{')
		return problem_set(b->fields.problem, 400,
		    "%sIt is %s: write one object on each line, such as"
		    " {\"data\":\"hi\"}.",
		    b->fields.where,
		    first == '[' ? "an array, not an object" :
				   "not a JSON object");
	return take_json(b, line);
}

/* ---- streamed bodies ---- */

static int
take_block(struct body *b, struct text block)
{
	struct event *e;

	if (!utf8_is_valid(block)) {
		body_where(b, b->n, b->fields.where);
		return problem_set(b->fields.problem, 400,
		    "%sThe event is not UTF-8.", b->fields.where);
	}
	if ((e = add_event(b)) == NULL)
		return -1;
	switch (event_stream_read(block, &b->defaults, b->arena, &b->used, e)) {
	case EVENT_STREAM_EVENT:
		return 0;
	case EVENT_STREAM_OTHER:
		b->facts.passed++;
		break;
	case EVENT_STREAM_NOTHING:
		break;
	}
	b->n--;
	return 0;
}

/* Take all complete blocks; their values need at most room bytes. */
static int
take_blocks(struct body *b, size_t room)
{
	struct text block;
	size_t before;
	int result;

	for (;;) {
		switch (blocks_next(&b->blocks, &block)) {
		case BLOCKS_MORE:
			return 0;
		case BLOCKS_LONG:
			return refuse_length(b);
		case BLOCKS_BLOCK:
			break;
		}
		if (text_first_byte(block) < 0)
			continue;
		/* not for each piece, which may be a single byte */
		if (make_arena(b, room) != 0)
			return -1;
		before = b->n;
		result = b->options.media == MEDIA_NDJSON ?
		    take_line(b, block) :
		    take_block(b, block);
		if (result != 0) {
			b->n = before;
			return -1;
		}
	}
}

/* Returns whether the rest lacks only an empty line.  The body may have been
   cut within it, so it is not taken. */
static bool
is_event(struct body *b)
{
	const struct event d = { 0 };
	size_t used = 0;
	struct event e;

	return event_stream_read(blocks_rest(&b->blocks), &d, b->arena, &used,
		   &e) == EVENT_STREAM_EVENT;
}

/* ---- pieces ---- */

int
body_take(struct body *b, const char *bytes, size_t len, struct problem *p)
{
	size_t kept = blocks_rest(&b->blocks).len;

	assert(b->n == 0);
	b->fields.problem = p;
	if (!b->facts.is_streamed && len > b->options.max_bytes - kept)
		return refuse_length(b);
	if (blocks_add(&b->blocks, bytes, len,
		!b->facts.is_streamed && b->options.length > 0 ?
		    (size_t)b->options.length :
		    0) != 0)
		return problem_memory(p);
	if (!b->facts.is_streamed)
		return 0;
	kept += len;
	/* an event is at least the line "data" and an empty one: 6 bytes */
	return take_blocks(b, kept + kept / 6 * b->defaults.key.len + 1);
}

static int
take_plain(struct body *b, struct event *e)
{
	e->data = blocks_rest(&b->blocks);
	(void)snprintf(b->fields.where, BODY_WHERE_MAX, "In the query: ");
	if (e->data.len == 0)
		return problem_set(b->fields.problem, 400,
		    "There is no data: the body is empty.  An event with empty"
		    " data can be sent as a form.");
	if (!utf8_is_valid(e->data))
		return problem_set(b->fields.problem, 400,
		    "The body is not UTF-8.");
	return fields_take_form(&b->fields, b->query, strlen(b->query));
}

/* A form, decoded in place.  "curl -d" sends JSON as a form, too. */
static int
take_form(struct body *b, size_t len)
{
	bool is_json = media_is_json(blocks_rest(&b->blocks));

	if (fields_take_form(&b->fields, b->blocks.buffer, len) == 0)
		return fields_end(&b->fields);
	return is_json ? media_refuse_json(MEDIA_FORM, b->fields.problem) : -1;
}

static int
take_rest(struct body *b)
{
	struct text rest = blocks_rest(&b->blocks);
	struct event *e;

	if ((b->facts.is_streamed || b->options.media == MEDIA_JSON) &&
	    make_arena(b, rest.len + 1) != 0)
		return -1;
	if (b->options.media == MEDIA_EVENT_STREAM) {
		if (b->blocks.block_line == 0 && media_is_json(rest))
			return media_refuse_json(MEDIA_EVENT_STREAM,
			    b->fields.problem);
		b->facts.is_unfinished = rest.len > 0 && is_event(b);
		return 0;
	}
	if (b->options.media == MEDIA_NDJSON)
		return text_first_byte(rest) < 0 ? 0 : take_line(b, rest);
	if (b->options.media == MEDIA_JSON)
		return take_json(b, rest);
	if ((e = add_event(b)) == NULL)
		return -1;
	fields_begin(&b->fields, e);
	if (b->options.media == MEDIA_PLAIN)
		return take_plain(b, e);
	return take_form(b, rest.len);
}

int
body_end(struct body *b, struct problem *p)
{
	assert(b->n == 0);
	b->fields.problem = p;
	if (take_rest(b) == 0)
		return 0;
	b->n = 0;
	return -1;
}

/* ---- what came out ---- */

const struct event *
body_events(const struct body *b, size_t *n)
{
	*n = b->n;
	return b->events;
}

void
body_clear(struct body *b)
{
	b->n = 0;
	b->used = 0;
}

const struct body_facts *
body_facts(const struct body *b)
{
	return &b->facts;
}

uint64_t
body_line(const struct body *b, size_t i)
{
	assert(i <= b->n);
	return i < b->n ? b->begins[i] : b->blocks.block_line + 1;
}

void
body_where(const struct body *b, size_t i, char where[BODY_WHERE_MAX])
{
	where[0] = '\0';
	if (b->facts.is_streamed)
		(void)snprintf(where, BODY_WHERE_MAX, "Line %" PRIu64 ": ",
		    body_line(b, i));
	else if (b->facts.is_array)
		(void)snprintf(where, BODY_WHERE_MAX,
		    "At index %zu of the array: ", i);
}

/* ---- making ---- */

/* Read the query of an event stream: the topic and the key of its events. */
static int
read_query(struct body *b)
{
	const struct event *e = &b->defaults;

	b->fields.kind = FIELDS_STREAM_QUERY;
	(void)snprintf(b->fields.where, BODY_WHERE_MAX, "In the query: ");
	fields_begin(&b->fields, &b->defaults);
	if (fields_take_form(&b->fields, b->query, strlen(b->query)) != 0)
		return -1;
	if (e->topic.len <= EVENT_NAME_MAX && e->key.len <= EVENT_NAME_MAX)
		return 0;
	return problem_set(b->fields.problem, 400,
	    "In the query: %s is longer than %d bytes.",
	    e->topic.len > EVENT_NAME_MAX ? "topic" : "key", EVENT_NAME_MAX);
}

static int
begin(struct body *b)
{
	const char *query = b->options.query;

	if (b->options.media == MEDIA_UNKNOWN)
		return media_refuse(b->fields.problem);
	if (!b->facts.is_streamed &&
	    b->options.length > (int64_t)b->options.max_bytes)
		return refuse_length(b);
	b->query = strdup(query != NULL ? query : "");
	if (b->query == NULL)
		return problem_memory(b->fields.problem);
	b->blocks.max_bytes = b->options.max_bytes;
	if (b->facts.is_streamed)
		b->blocks.kind = b->options.media == MEDIA_NDJSON ?
		    BLOCKS_LINE :
		    BLOCKS_EVENT;
	if (b->options.is_export)
		b->fields.kind = FIELDS_EXPORT;
	else if (b->options.media == MEDIA_PLAIN)
		b->fields.kind = FIELDS_PLAIN_QUERY;
	return b->options.media == MEDIA_EVENT_STREAM ? read_query(b) : 0;
}

struct body *
body_new(const struct body_options *options, struct log *json,
    struct problem *p)
{
	struct body *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		(void)problem_memory(p);
		return NULL;
	}
	b->options = *options;
	b->facts.is_streamed = options->media == MEDIA_NDJSON ||
	    options->media == MEDIA_EVENT_STREAM;
	b->json = json;
	b->fields.problem = p;
	if (begin(b) == 0)
		return b;
	body_free(b);
	return NULL;
}

void
body_free(struct body *b)
{
	if (b == NULL)
		return;
	free(b->query);
	free(b->blocks.buffer);
	free(b->arena);
	free(b->events);
	free(b->begins);
	free(b);
}
