#ifndef ROWCAST_MEMORY_H
#define ROWCAST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Would an allocation succeed now?  For use before library calls that abort or
 * crash when out of memory.  The answer holds until the next allocation: there
 * are no threads.
 */

/* Would allocations of len bytes in all succeed?  Leaves the thresholds of
   malloc() as they are. */
bool memory_is_free(size_t len);

/* Would malloc(len) succeed?  If len is large, malloc() may keep more memory
   from then on. */
bool memory_is_allocatable(size_t len);

#endif
