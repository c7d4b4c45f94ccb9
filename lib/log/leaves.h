#ifndef ROWCAST_LOG_LEAVES_H
#define ROWCAST_LOG_LEAVES_H

#include <stdbool.h>

#include "lib/event.h"

/*
 * The rows of events that are in the leaves of a database file, found without
 * the pages above them, which may be damaged.  Rows of another table with the
 * same types in its first seven columns would be taken for events.  In a
 * database in UTF-16, no rows are found.
 */
struct leaves;

/*
 * Search all pages of a file.
 *   returns  NULL with errno if the file cannot be opened, or memory is short
 *   owns     the caller calls leaves_free().  That releases the locks that
 *            connections of this process have on the file
 */
struct leaves *leaves_new(const char *path);
void leaves_free(struct leaves *l); /* l may be NULL */

enum leaves_result {
	LEAVES_ROW,
	LEAVES_END,
	LEAVES_NO_MEMORY,
};

/* Find the first row with from <= id <= to that can be read.  *e is lent until
   the next call. */
enum leaves_result leaves_find(struct leaves *l, int64_t from, int64_t to,
    struct event *e);

#endif
