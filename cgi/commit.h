#ifndef ROWCAST_COMMIT_H
#define ROWCAST_COMMIT_H

#include <stddef.h>

#include "publisher_config.h"
#include "publish.h"

/*
 * Appending for requests: all that wait at once in one transaction, with one
 * wait for the disk.
 */
struct commit;

/*
 *   busy_ms  how long commit_all() may wait for other writers
 *   returns  NULL if out of memory; the log is opened when it is needed
 *   owns     the caller; commit_free().  Lends config
 */
struct commit *commit_new(const struct publisher_config *config, int busy_ms);
void commit_free(struct commit *c); /* c may be NULL */

/*
 * Append the events of n requests that want it, and tell each what became of
 * them: it wants something else then.  What one of them does wrong concerns no
 * other.
 *   returns  0; -1 if others are writing: nobody was told anything, and
 *            commit_busy() is for those who will not wait longer
 */
int commit_all(struct commit *c, struct publish *const *requests, size_t n);
void commit_busy(struct commit *c, struct publish *p);

#endif
