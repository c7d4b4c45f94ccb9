#ifndef ROWCAST_BODY_H
#define ROWCAST_BODY_H

#include <stdbool.h>

#include "lib/event.h"
#include "lib/log/log.h"
#include "lib/problem.h"

/*
 * The body of a publishing request → events, or why they are refused.  Pure.
 *
 *   application/x-www-form-urlencoded  fields topic, event, data, retry, key
 *   application/json                   one object with the same members, or an
 *                                      array of such objects; data may be any
 *                                      value, what is no string is stored as
 *                                      its JSON text
 *   text/plain                         the body is the data; the other fields
 *                                      come from the query string
 */
struct body {
	struct event *events; /* id 0, name "message" where none was given */
	size_t n_events;
	bool is_array; /* answer with "ids" rather than "id" */
	void *backing; /* private */
};

#define BODY_EVENTS_MAX 10000 /* events in one request */

/*
 *   shape    content_type as sent (parameters such as charset are allowed;
 *            a charset other than utf-8 is refused), query as sent, either may
 *            be NULL; bytes[0..len) is the whole body
 *   voids    bytes are decoded in place
 *   returns  0; -1 with *p set: 400 (broken form, JSON or UTF-8, no data, an
 *            unknown or repeated field, named), 413 (too many events), 415,
 *            503 (out of memory).  On -1 there is nothing to free
 *   owns     *b borrows from bytes; end with body_free()
 * Whether the schema accepts a topic or a name is for the log to say (422).
 */
int body_parse(struct log_json *json, const char *content_type,
    const char *query, char *bytes, size_t len, struct body *b,
    struct problem *p);
void body_free(struct body *b);

/*
 * One line of application/x-ndjson: an object as above.
 *   where    begins what *p says of it
 *   shape    arena has room for line.len bytes; *used grows by what is taken
 *   returns  0; -1 with *p set
 *   owns     *e borrows from arena
 */
int body_parse_line(struct log_json *json, struct text line, const char *where,
    char *arena, size_t *used, struct event *e, struct problem *p);

#endif
