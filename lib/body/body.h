#ifndef ROWCAST_BODY_H
#define ROWCAST_BODY_H

#include <stdbool.h>

#include "lib/event.h"
#include "lib/log/log.h"
#include "lib/problem.h"

/*
 * A whole body → events, or the reason why it is refused.  Pure.
 *
 *   application/x-www-form-urlencoded  fields topic, event, data, retry, key
 *   application/json                   an object with members of these names,
 *                                      or an array of such objects.  data may
 *                                      be any value: a string is stored
 *                                      decoded, another value as its JSON text
 *   text/plain                         the body is the data; the query holds
 *                                      the other fields
 */
struct body {
	struct event *events; /* id is 0, name is "message" if none was given */
	size_t n_events;
	bool is_array; /* an array was sent: answer with an array of ids */
	void *backing; /* private */
};

#define BODY_EVENTS_MAX 10000 /* events in one body */

/*
 * Parse a whole body.  The log decides later whether it accepts the topic, the
 * name and the key of an event.
 *   shape    content_type and query as sent, or NULL; bytes[0..len) is the body
 *   voids    decodes bytes in place
 *   returns  0; -1 with *p set and *b empty:
 *            400  malformed form, JSON or UTF-8; no data; an unknown or
 *                 repeated field, which the detail names
 *            413  more than BODY_EVENTS_MAX events
 *            415  another media type or charset
 *            503  out of memory
 *   owns     *b borrows from bytes; the caller calls body_free()
 */
int body_parse(struct log_json *json, const char *content_type,
    const char *query, char *bytes, size_t len, struct body *b,
    struct problem *p);
void body_free(struct body *b);

/*
 * Parse the value of retry: decimal digits, 0 to EVENT_RETRY_MAX_MS.
 *   returns  0 with *ms set; -1
 */
int body_parse_retry(struct text value, int64_t *ms);

/*
 * Parse one line of application/x-ndjson: one object as above.
 *   shape    where begins the detail of *p ("Line 7: "); the arena has room for
 *            line.len bytes behind *used
 *   is_export  accept and ignore the members id and created_ms, which
 *            rowcast export writes
 *   returns  0 with *used increased; -1 with *p set as by body_parse()
 *   owns     *e borrows from the arena
 */
int body_parse_line(struct log_json *json, struct text line, const char *where,
    bool is_export, char *arena, size_t *used, struct event *e,
    struct problem *p);

#endif
