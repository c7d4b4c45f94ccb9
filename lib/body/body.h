#ifndef ROWCAST_BODY_H
#define ROWCAST_BODY_H

#include <stdbool.h>

#include "lib/event.h"
#include "lib/log/log.h"
#include "lib/problem.h"
#include "media.h"

/*
 * A body → events, or the reason why it is refused.  Pure.
 *
 *   application/x-www-form-urlencoded  fields topic, event, data, retry, key
 *   application/json       an object with members of these names, or an array
 *                          of such objects.  data may be any value: a string is
 *                          stored decoded, another value as its JSON text
 *   text/plain             the body is the data; the query holds the others
 *   application/x-ndjson   one object per line; blank lines are ignored
 *   text/event-stream      the stream of another server: event, data and retry
 *                          become an event.  Its topic is topic= of the query;
 *                          its key is key= of the query followed by its id, or
 *                          none.  Events named stream-… are passed over: they
 *                          describe the stream that they come from
 *   source   https://github.com/ndjson/ndjson-spec; WHATWG HTML, 9.2.6
 *
 * The last two are streamed: a body may have any length, and its events are
 * complete one after the other.  The others give their events, all or none,
 * with body_end().  Call body_take() with each piece, use body_events(), and
 * call body_clear() before the next piece.  After a problem, use the events
 * that came before it, then call body_free().
 */
struct body;

#define BODY_EVENTS_MAX 10000 /* in one array */

/*
 *   query      as sent, or NULL
 *   length     of the body as announced; -1: unknown
 *   max_bytes  of a line or event of a streamed body; of any other body
 *   limit_name  the option that sets max_bytes; borrowed, not NULL
 *   is_export  accept and ignore the members id and created_ms, which
 *              rowcast export writes
 */
struct body_options {
	enum media media;
	const char *query;
	int64_t length;
	size_t max_bytes;
	const char *limit_name;
	bool is_export;
};

/*
 *   returns  NULL with *p set: 400 (the query), 413 (length), 415
 *            (MEDIA_UNKNOWN), 503 (out of memory)
 *   owns     the caller calls body_free().  Borrows json
 */
struct body *body_new(const struct body_options *options, struct log *json,
    struct problem *p);
void body_free(struct body *b); /* b may be NULL */

/*
 * Parse the next piece, or the end.  At the end, a last line without a line end
 * is an event; an unfinished event of an event stream is not.
 *   returns  0; -1 with *p set: 400, 413, 503 (out of memory)
 */
int body_take(struct body *b, const char *bytes, size_t len, struct problem *p);
int body_end(struct body *b, struct problem *p);

/*
 * The events completed since body_clear().  The log decides later whether it
 * accepts their topics, names and keys.
 *   owns     lent until body_clear()
 */
const struct event *body_events(const struct body *b, size_t *n);
void body_clear(struct body *b);

/* The number of the line, from 1, in which event i begins; for i == n, in which
   the next line or event begins, which is the bad one after a problem. */
uint64_t body_line(const struct body *b, size_t i);

/* Where event i stands, to begin a detail: "Line 7: ", "At index 2 of the
   array: ", or "". */
#define BODY_WHERE_MAX 48
void body_where(const struct body *b, size_t i, char where[BODY_WHERE_MAX]);

/*
 *   is_array       answer with an array of ids
 *   is_unfinished  it ended within an event that has data
 *   passed         the number of events that were passed over
 */
struct body_facts {
	bool is_streamed;
	bool is_array;
	bool is_unfinished;
	uint64_t passed;
};

/* What is known of the body so far; lent until body_free(). */
const struct body_facts *body_facts(const struct body *b);

#endif
