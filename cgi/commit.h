#ifndef ROWCAST_COMMIT_H
#define ROWCAST_COMMIT_H

#include <stddef.h>

#include "publisher_config.h"
#include "publish.h"

/*
 * Append the events of several requests in one transaction, so that they share
 * the wait for the disk.
 */
struct commit;

/*
 *   busy_ms  how long commit_all() waits for other programs that are writing
 *   returns  NULL if out of memory.  commit_all() opens the log
 *   owns     the caller calls commit_free().  Borrows config
 */
struct commit *commit_new(const struct publisher_config *config, int busy_ms);
void commit_free(struct commit *c); /* c may be NULL */

/*
 * Open the log before the first commit_all(), so that a wrong path is known at
 * the start.
 *   returns  NULL, also if other programs have locked the log; else the reason
 *            why it cannot be opened, valid until the next call
 */
const char *commit_open(struct commit *c);

/*
 * Append the events of n requests in PUBLISH_APPENDING and call
 * publish_appended() for each.  A request whose events are refused does not
 * affect the others.
 *   returns  0; -1 if another program is writing: the requests are as before.
 *            Try again, or call commit_busy().  If n > 1, requests may also be
 *            left in PUBLISH_APPENDING after 0: try those again
 */
int commit_all(struct commit *c, struct publish *const *requests, size_t n);

/* Refuse a request because another program kept the log locked. */
void commit_busy(struct commit *c, struct publish *p);

#endif
