#ifndef ROWCAST_LINE_H
#define ROWCAST_LINE_H

#include "lib/log/log.h"

/*
 * One line of NDJSON → an event.  Pure.
 *
 * The members are those of a publishing request, topic, event, data, retry and
 * key; data may be any value, what is no string is kept as its JSON text.  id
 * and created_ms, which an export has, are passed over.
 */
struct line {
	struct event event;
	char *backing; /* private */
};

/*
 *   returns  LOG_OK; LOG_REFUSED with why set; else the trouble is not the
 *            line's.  There is nothing to free then
 *   owns     the caller; line_free().  Borrows nothing from text
 */
enum log_result line_read(struct log_json *json, struct text text,
    struct line *line, char why[LOG_WHY_MAX]);
void line_free(struct line *line);

/* Is there nothing in it but white space? */
bool line_is_blank(struct text text);

#endif
