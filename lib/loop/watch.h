#ifndef ROWCAST_WATCH_H
#define ROWCAST_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/*
 * Tells when the log may have grown.  File events make it fast; that somebody
 * looks now and then all the same makes it true, since some file systems tell
 * nothing.
 */
struct watch;

/*
 *   look     returns whether there was news.  Called at once on a file event,
 *            then again after a growing fraction of a millisecond until there
 *            is news (the event comes before the commit can be seen), and every
 *            poll_ms in any case
 *   path     of the database, which must be there; links are followed
 *   returns  NULL if out of memory or descriptors
 *   owns     the caller; watch_free().  Lends loop and cookie
 */
struct watch *watch_new(uv_loop_t *loop, const char *path, int64_t poll_ms,
    bool (*look)(void *cookie), void *cookie);
void watch_free(struct watch *w); /* w may be NULL */

#endif
