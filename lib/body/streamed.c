/*
 * A body of any length, parsed piece by piece.
 *
 * An incomplete line (or, of an event stream, an incomplete event) is kept at
 * the front of the buffer.  Each byte is searched once, however small the
 * pieces are.  Values are copied into the arena, which has room for all that
 * one piece can complete, so pointers to them stay valid.
 */
#include "streamed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/form.h"
#include "lib/utf8.h"
#include "body.h"
#include "event_stream.h"

struct streamed {
	struct streamed_options options;
	struct log_json *json;
	char *query; /* topic and key borrow from it */
	struct text topic;
	struct text key; /* followed by the id of an event */
	char *buffer;
	size_t len;
	size_t cap;
	size_t block;   /* the incomplete line or event begins here */
	size_t line;    /* and its last line here */
	size_t at;      /* searched up to here */
	bool skips_lf;  /* a CR ended the last piece */
	size_t skipped; /* line feeds of the block that were skipped */
	bool is_past_bom;
	bool is_unfinished;
	uint64_t lines;      /* complete so far */
	uint64_t block_line; /* number of the block's first line */
	uint64_t passed;
	char *arena;
	size_t arena_cap;
	size_t used;
	struct event *events;
	uint64_t *begins; /* the line in which each begins */
	size_t n;
	size_t events_cap;
};

/* ---- events ---- */

static struct event *
add_event(struct streamed *s)
{
	size_t cap = s->events_cap == 0 ? 64 : s->events_cap * 2;
	struct event *events;
	uint64_t *begins;

	if (s->n == s->events_cap) {
		events = reallocarray(s->events, cap, sizeof(*events));
		if (events == NULL)
			return NULL;
		s->events = events;
		begins = reallocarray(s->begins, cap, sizeof(*begins));
		if (begins == NULL)
			return NULL;
		s->begins = begins;
		s->events_cap = cap;
	}
	s->begins[s->n] = s->block_line;
	return &s->events[s->n++];
}

static bool
is_blank(struct text line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.bytes[i] != ' ' && line.bytes[i] != '\t' &&
		    line.bytes[i] != '\r')
			return false;
	return true;
}

static int
take_line(struct streamed *s, struct text line, struct problem *p)
{
	char where[48];
	struct event *e;

	if (is_blank(line))
		return 0;
	if ((e = add_event(s)) == NULL)
		return problem_memory(p);
	(void)snprintf(where, sizeof(where), "Line %" PRIu64 ": ",
	    s->block_line);
	if (body_parse_line(s->json, line, where, s->options.is_export,
		s->arena, &s->used, e, p) == 0)
		return 0;
	s->n--;
	return -1;
}

static int
take_block(struct streamed *s, struct text block, struct problem *p)
{
	struct event_stream_defaults d = { s->topic, s->key };
	struct event *e;

	if (!utf8_is_valid(block)) {
		problem_set(p, 400,
		    "The event that begins in line %" PRIu64 " is not UTF-8.",
		    s->block_line);
		return -1;
	}
	if ((e = add_event(s)) == NULL)
		return problem_memory(p);
	switch (event_stream_read(block, &d, s->arena, &s->used, e)) {
	case EVENT_STREAM_EVENT:
		return 0;
	case EVENT_STREAM_OTHER:
		s->passed++;
		break;
	case EVENT_STREAM_NOTHING:
		break;
	}
	s->n--;
	return 0;
}

struct event *
streamed_events(struct streamed *s, size_t *n)
{
	*n = s->n;
	return s->events;
}

void
streamed_clear(struct streamed *s)
{
	s->n = 0;
	s->used = 0;
}

uint64_t
streamed_line(const struct streamed *s, size_t i)
{
	assert(i <= s->n);
	return i < s->n ? s->begins[i] : s->block_line;
}

uint64_t
streamed_passed(const struct streamed *s)
{
	return s->passed;
}

/* ---- lines ---- */

static int
refuse_length(const struct streamed *s, struct problem *p)
{
	problem_set(p, 413, "%s %" PRIu64 " is longer than %zu bytes.",
	    s->options.media == MEDIA_NDJSON ? "Line" :
					       "The event that begins in line",
	    s->block_line, s->options.max_bytes);
	return -1;
}

/* Make room for len bytes behind the incomplete block, and for the values of
   all events that they can complete. */
static int
make_room(struct streamed *s, size_t len, struct problem *p)
{
	size_t kept = s->len - s->block, cap = kept + len, values;
	char *bytes;

	if (s->block > 0)
		memmove(s->buffer, s->buffer + s->block, kept);
	s->len = kept;
	s->line -= s->block;
	s->at -= s->block;
	s->block = 0;
	if (cap > s->cap) {
		cap += cap / 2; /* do not copy for each small piece */
		bytes = realloc(s->buffer, cap);
		if (bytes == NULL)
			return problem_memory(p);
		s->buffer = bytes;
		s->cap = cap;
	}
	/* an event is at least the line "data" and an empty one: 6 bytes */
	values = kept + len + (kept + len) / 6 * s->key.len + 1;
	if (values > s->arena_cap) {
		free(s->arena);
		s->arena_cap = 0;
		s->arena = malloc(values);
		if (s->arena == NULL)
			return problem_memory(p);
		s->arena_cap = values;
	}
	return 0;
}

/* A line is complete: [line, end), and its line end up to next. */
static int
end_line(struct streamed *s, size_t end, size_t next, struct problem *p)
{
	struct text block = { s->buffer + s->block, end - s->block };
	bool is_ndjson = s->options.media == MEDIA_NDJSON;
	bool is_whole = is_ndjson || end == s->line;
	int result = 0;

	s->lines++;
	if (block.len + s->skipped > s->options.max_bytes)
		return refuse_length(s, p);
	if (is_whole && block.len > 0)
		result = is_ndjson ? take_line(s, block, p) :
				     take_block(s, block, p);
	s->line = s->at = next;
	if (is_whole && result == 0) {
		s->block = next;
		s->block_line = s->lines + 1;
		s->skipped = 0;
	}
	return result;
}

/* Returns the position of the next line end, or len if there is none. */
static size_t
find_line_end(const struct streamed *s)
{
	const char *from = s->buffer + s->at, *lf, *cr = NULL;
	size_t n = s->len - s->at;

	lf = memchr(from, '\n', n);
	if (lf != NULL)
		n = (size_t)(lf - from);
	if (s->options.media == MEDIA_EVENT_STREAM)
		cr = memchr(from, '\r', n);
	return cr != NULL ? (size_t)(cr - s->buffer) : s->at + n;
}

/* An event stream may begin with a byte order mark. */
static void
skip_bom(struct streamed *s)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (s->is_past_bom || s->lines > 0 || s->len < 3)
		return;
	s->is_past_bom = true;
	if (s->options.media == MEDIA_EVENT_STREAM &&
	    memcmp(s->buffer, bom, 3) == 0)
		s->block = s->line = s->at = 3;
}

/* Take all complete lines. */
static int
end_lines(struct streamed *s, struct problem *p)
{
	size_t end;

	while ((end = find_line_end(s)) < s->len) {
		size_t next = end + 1;

		if (s->buffer[end] == '\r' && next == s->len)
			s->skips_lf = true;
		else if (s->buffer[end] == '\r' && s->buffer[next] == '\n')
			next++;
		if (end_line(s, end, next, p) != 0)
			return -1;
	}
	s->at = s->len;
	return 0;
}

int
streamed_take(struct streamed *s, const char *bytes, size_t len,
    struct problem *p)
{
	assert(s->n == 0);
	if (len == 0)
		return 0;
	if (s->skips_lf && bytes[0] == '\n') {
		/* count it: where the body was cut must not matter */
		s->skipped += s->len > s->block ? 1 : 0;
		bytes++;
		len--;
	}
	s->skips_lf = false;
	if (len > 0) {
		if (make_room(s, len, p) != 0)
			return -1;
		memcpy(s->buffer + s->len, bytes, len);
		s->len += len;
		skip_bom(s);
		if (end_lines(s, p) != 0)
			return -1;
	}
	return s->len - s->block + s->skipped > s->options.max_bytes ?
	    refuse_length(s, p) :
	    0;
}

/* Would the rest be an event if an empty line followed?  The body may have been
   cut within it, so it is not taken. */
static bool
is_event(struct streamed *s)
{
	const struct text rest = { s->buffer + s->block, s->len - s->block };
	const struct event_stream_defaults d = { 0 };
	size_t used = 0;
	struct event e;

	return event_stream_read(rest, &d, s->arena, &used, &e) ==
	    EVENT_STREAM_EVENT;
}

int
streamed_end(struct streamed *s, struct problem *p)
{
	assert(s->n == 0);
	if (s->len == s->block)
		return 0;
	if (s->options.media == MEDIA_NDJSON)
		return end_line(s, s->len, s->len, p);
	s->is_unfinished = is_event(s);
	return 0;
}

bool
streamed_is_unfinished(const struct streamed *s)
{
	return s->is_unfinished;
}

/* ---- making ---- */

static int
take_pair(struct streamed *s, const struct form_pair *pair, struct problem *p)
{
	static const char *const names[] = { "topic", "key" };
	struct text *values[] = { &s->topic, &s->key };

	for (size_t i = 0; i < 2; i++) {
		if (!text_is(pair->name, names[i]))
			continue;
		if (values[i]->bytes != NULL) {
			problem_set(p, 400, "%s appears twice in the query.",
			    names[i]);
			return -1;
		}
		*values[i] = pair->value;
		if (pair->value.len <= EVENT_NAME_MAX)
			return 0;
		problem_set(p, 400, "%s is longer than %d bytes.", names[i],
		    EVENT_NAME_MAX);
		return -1;
	}
	problem_set(p, 400,
	    "With text/event-stream the query may have topic and key, and"
	    " nothing else.");
	return -1;
}

static int
read_query(struct streamed *s, struct problem *p)
{
	struct form_rest rest = { s->query, strlen(s->query) };
	enum form_result result;
	struct form_pair pair;

	while ((result = form_next(&rest, &pair)) == FORM_PAIR)
		if (take_pair(s, &pair, p) != 0)
			return -1;
	if (result == FORM_END)
		return 0;
	problem_set(p, 400,
	    "The query is malformed: two hex digits must follow each %%, and"
	    " the decoded text must be UTF-8.");
	return -1;
}

struct streamed *
streamed_new(const struct streamed_options *options, struct log_json *json,
    struct problem *p)
{
	const char *query = options->query != NULL ? options->query : "";
	struct streamed *s = calloc(1, sizeof(*s));

	assert(options->media == MEDIA_NDJSON ||
	    options->media == MEDIA_EVENT_STREAM);
	if (s != NULL)
		s->query = strdup(query); /* read_query() decodes it in place */
	if (s == NULL || s->query == NULL) {
		(void)problem_memory(p);
		streamed_free(s);
		return NULL;
	}
	s->options = *options;
	s->options.query = NULL; /* it was copied */
	s->json = json;
	s->block_line = 1;
	if (options->media == MEDIA_EVENT_STREAM && read_query(s, p) != 0) {
		streamed_free(s);
		return NULL;
	}
	return s;
}

void
streamed_free(struct streamed *s)
{
	if (s == NULL)
		return;
	free(s->query);
	free(s->buffer);
	free(s->arena);
	free(s->events);
	free(s->begins);
	free(s);
}
