#ifndef ROWCAST_MEMORY_H
#define ROWCAST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Could so much be had now?  For those who call what ends the process where it
 * is refused memory, and there are no threads that could take it in between.
 */
bool memory_is_free(size_t len);

#endif
