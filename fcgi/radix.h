#ifndef ROWCAST_RADIX_H
#define ROWCAST_RADIX_H

#include "lib/text.h"

/*
 * A map from texts to pointers, for texts that clients choose.
 * A call takes at most one step for each byte of its text, whichever other
 * texts the map holds.  A hash table has no such bound: a client can choose
 * texts that collide.  Pure.
 */
struct radix_node;

/* All members begin as 0: an empty map.  Private to radix.c. */
struct radix {
	struct radix_node *root;
};

/*
 * Add a key, which must not be in the map.
 *   shape    value is not NULL
 *   returns  0; -1 if out of memory, and the map is unchanged
 *   owns     borrows key until radix_remove()
 */
int radix_add(struct radix *r, struct text key, void *value);

/* Remove a key, which must be in the map; pass the bytes that were added.  It
   cannot fail.  An empty map owns no memory. */
void radix_remove(struct radix *r, struct text key);

/* Returns the value of a key; NULL if the key is not in the map. */
void *radix_find(const struct radix *r, struct text key);

/*
 * Call visit with the value of each key that text begins with, or equals; the
 * shortest key first.  The call-back must not change the map.
 */
typedef void radix_visit_fn(void *cookie, void *value);
void radix_visit_prefixes(const struct radix *r, struct text text,
    radix_visit_fn *visit, void *cookie);

#endif
