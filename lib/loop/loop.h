#ifndef ROWCAST_LOOP_H
#define ROWCAST_LOOP_H

#include <stdbool.h>

#include <uv.h>

/*
 * The event loop of a process, and its memory: libuv aborts where it is refused
 * room for its list of descriptors.
 */

/*
 * Begin.  From now on the process that is refused that room says so, and ends.
 *   returns  -1 if out of memory or descriptors
 */
int loop_open(uv_loop_t *loop);

/* Is there room, or memory to make it, for this descriptor?  Ask before. */
bool loop_has_room(const uv_loop_t *loop, int fd);

#endif
