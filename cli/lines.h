#ifndef ROWCAST_LINES_H
#define ROWCAST_LINES_H

#include <stdbool.h>

#include "lib/event.h"

/*
 * The lines of a descriptor, each up to a length.
 */
struct lines;

enum lines_result {
	LINES_LINE,    /* one line, without its line feed */
	LINES_END,     /* there are no more */
	LINES_LONG,    /* the next line is too long */
	LINES_TROUBLE, /* it cannot be read: errno */
};

/*
 *   units    max_bytes of a line
 *   returns  NULL if out of memory
 *   owns     the caller; lines_free(), which leaves fd open
 */
struct lines *lines_new(int fd, size_t max_bytes);
void lines_free(struct lines *l); /* l may be NULL */

/*
 * The next line, which is waited for.  The last one needs no line feed.
 *   owns     *line is lent until the next call
 */
enum lines_result lines_next(struct lines *l, struct text *line);

/*
 * Would lines_next() return at once?  Reads what has come.
 *   voids    the line that was lent
 */
bool lines_is_ready(struct lines *l);

/* Number of the line that was given last, from 1; bytes read of it and of all
   before. */
int64_t lines_number(const struct lines *l);
int64_t lines_bytes(const struct lines *l);

#endif
