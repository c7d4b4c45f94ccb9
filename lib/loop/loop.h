#ifndef ROWCAST_LOOP_H
#define ROWCAST_LOOP_H

#include <stdbool.h>

#include <uv.h>

/*
 * The event loop of a process.  libuv aborts if it is out of memory for its
 * list of descriptors: with loop_open(), the process warns and exits instead.
 */

/* Returns 0; -1 if out of memory or descriptors. */
int loop_open(uv_loop_t *loop);

/* Returns whether libuv has memory to watch this descriptor.  Call it before
   uv_poll_start(). */
bool loop_has_room(const uv_loop_t *loop, int fd);

#endif
