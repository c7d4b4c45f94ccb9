#ifndef ROWCAST_LOG_RELEASE_H
#define ROWCAST_LOG_RELEASE_H

/*
 * The parts of a schema: tables, indexes, views and triggers, and which release
 * of rowcast they are of.  Private to lib/log.
 */

#include "log.h"

enum part_state {
	PART_SAME,    /* as in schema.sql; a table may have more columns */
	PART_EARLIER, /* as in an earlier release, or not yet there in it */
	PART_MISSING,
	PART_DIFFERENT, /* changed by hand */
};

/*
 * Compare each part of schema.sql, in its order, with that of the log.
 *   type, name, sql  of the part in schema.sql; lent
 *   returns          of part: false ends the comparison, which then returns
 *                    LOG_REFUSED and leaves log_why() as it is
 */
typedef bool part_fn(void *cookie, struct text type, struct text name,
    struct text sql, enum part_state state);
enum log_result release_compare(struct log *log, part_fn *part, void *cookie);

/* Returns whether schema.sql creates a trigger of this name. */
bool release_has_trigger(struct text name);

#endif
