#ifndef ROWCAST_WATCH_H
#define ROWCAST_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/*
 * Calls look() when the log may have grown: on file events, and every poll_ms
 * all the same, as some file systems report no events.
 */
struct watch;

/*
 *   look     returns whether the log has grown.  After a file event it is
 *            called at once, and then again, soon at first, until one of these
 *            later calls returns true: the event precedes the moment at which
 *            the commit is visible.  It must not free the watch.
 *   path     of the database, which must exist; links are followed
 *   returns  NULL if out of memory or descriptors
 *   owns     the caller frees with watch_free(); borrows loop and cookie
 */
struct watch *watch_new(uv_loop_t *loop, const char *path, int64_t poll_ms,
    bool (*look)(void *cookie), void *cookie);
void watch_free(struct watch *w); /* w may be NULL */

#endif
