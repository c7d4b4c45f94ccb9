#ifndef ROWCAST_FIELDS_H
#define ROWCAST_FIELDS_H

#include <stdbool.h>

#include "lib/event.h"
#include "lib/problem.h"

/*
 * The fields of an event by name, under one set of rules, whether they come
 * from a form, a query or a JSON object.  Pure.
 */

enum fields_kind {
	FIELDS_EVENT,        /* topic, event, data, retry, key */
	FIELDS_EXPORT,       /* and id, created_ms, which are ignored */
	FIELDS_PLAIN_QUERY,  /* all but data */
	FIELDS_STREAM_QUERY, /* topic and key */
};

/*
 *   where  begins the detail of every problem
 *   event  the one to fill; it borrows the values
 *   seen   private
 */
struct fields {
	enum fields_kind kind;
	char where[48];
	struct problem *problem;
	struct event *event;
	unsigned seen;
};

/* Begin a new event: set *e to an event without data. */
void fields_begin(struct fields *f, struct event *e);

/*
 * Take one field, or all fields of form text, which is decoded in place.  The
 * name of an event that is not from an export must not be one of a browser's.
 *   shape    type is SQLite's name of the JSON type; NULL: not from JSON
 *   returns  0; -1 with *problem set to 400: an unknown, repeated or bad field
 */
int fields_take(struct fields *f, struct text name, struct text value,
    const char *type);
int fields_take_form(struct fields *f, char *bytes, size_t len);

/* Refuse an event that got no data.  Returns 0; -1 with *problem set. */
int fields_end(struct fields *f);

/*
 * Returns whether EventSource itself fires events of this name.  An event that
 * has it calls onerror or onopen of pages whose stream is sound.
 *   source   WHATWG HTML, 9.2.2 "The EventSource interface"
 */
bool fields_is_browser_name(struct text name);

/* Parse the value of retry.  Returns 0 with *ms set; -1. */
int fields_retry(struct text value, int64_t *ms);

#endif
