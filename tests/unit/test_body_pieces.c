/*
 * body: bodies that arrive byte by byte.
 *
 * Counts allocations: a buffer may not be made anew for each piece.
 */
#include <stdlib.h>

static unsigned long allocations;

#define malloc(len) (allocations++, malloc(len))
/* to count in it, too
   NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "lib/body/body.c"
#undef malloc

#include "tap.h"

#define PIECES 100000
#define ALLOCATIONS_MAX 8

static struct log *json;

/* Take head, then unit until there are PIECES bytes, then tail. */
static void
check_pieces(const char *name, enum media media, const char *head,
    const char *unit, const char *tail)
{
	const struct body_options options = { .media = media,
		.query = media == MEDIA_PLAIN ?
		    "topic=t" :
		    media == MEDIA_EVENT_STREAM ?
		    "topic=t&key=a-rather-long-key" :
		    NULL,
		.length = -1,
		.max_bytes = 2 * PIECES };
	const char *parts[] = { head, unit, tail };
	struct problem p;
	struct body *b = body_new(&options, json, &p);
	bool is_good = b != NULL;
	size_t n = 0;

	allocations = 0;
	for (size_t i = 0; i < 3 && is_good; i++) {
		size_t len = strlen(parts[i]);

		for (size_t at = 0; is_good && at < (i == 1 ? PIECES : len);
		     at++) {
			is_good = body_take(b, parts[i] + at % len, 1, &p) == 0;
			(void)body_events(b, &n);
			if (n == 0)
				body_clear(b);
		}
	}
	if (n == 0)
		is_good = is_good && body_end(b, &p) == 0;
	check(is_good && allocations <= ALLOCATIONS_MAX,
	    "%s: %lu allocations for %d pieces", name, allocations, PIECES);
	body_free(b);
}

int
main(void)
{
	json = log_open_memory();
	if (json == NULL)
		abort();
	check_pieces("a form", MEDIA_FORM, "data=", "x", "");
	check_pieces("plain text", MEDIA_PLAIN, "", "x", "");
	check_pieces("JSON", MEDIA_JSON, "{\"data\":\"", "x", "\"}");
	check_pieces("a line of JSON", MEDIA_NDJSON, "{\"data\":\"", "x",
	    "\"}\n");
	check_pieces("a last line of JSON", MEDIA_NDJSON, "{\"data\":\"", "x",
	    "\"}");
	check_pieces("an event of a stream", MEDIA_EVENT_STREAM, "id: 1\n",
	    "data: x\n", "\n");
	check_pieces("an unfinished event of a stream", MEDIA_EVENT_STREAM,
	    "id: 1\n", "data: x\n", "");
	log_close(json);
	return tap_end();
}
