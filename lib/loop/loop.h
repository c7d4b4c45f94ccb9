#ifndef ROWCAST_LOOP_H
#define ROWCAST_LOOP_H

#include <stdbool.h>

#include <uv.h>

/*
 * The event loop of a process.  libuv aborts if it is out of memory for its
 * list of descriptors: with loop_open(), the process warns and exits instead.
 */

/*
 *   returns  0; -1 if out of memory or descriptors
 */
int loop_open(uv_loop_t *loop);

/* Is there memory for watching this descriptor?  Call it before. */
bool loop_has_room(const uv_loop_t *loop, int fd);

#endif
