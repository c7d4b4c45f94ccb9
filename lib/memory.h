#ifndef ROWCAST_MEMORY_H
#define ROWCAST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether an allocation would succeed, for use before library calls that abort
 * or crash when out of memory.  The answer holds until the next allocation:
 * there are no threads.
 */

/* Returns whether allocations of len bytes in all would succeed.  Leaves the
   thresholds of malloc() as they are. */
bool memory_is_free(size_t len);

/* Returns whether malloc(len) would succeed.  If len is large, malloc() may
   keep more memory from then on. */
bool memory_is_allocatable(size_t len);

#endif
