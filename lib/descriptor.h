#ifndef ROWCAST_DESCRIPTOR_H
#define ROWCAST_DESCRIPTOR_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * Blocking input and output, also if the descriptor is non-blocking: O_NONBLOCK
 * belongs to the open file, and any process that shares it may set the flag.
 */

/*
 * Reserve descriptors 0, 1 and 2 if they are closed, so that no other file gets
 * such a number.  Reading and writing them still fails with EBADF.  Call it
 * first in main().
 *   source   FastCGI 1.0, 2.2: a web server leaves only descriptor 0 open
 */
void descriptor_reserve_standard(void);

/*
 * Read up to cap bytes, waiting for the first.
 *   returns  the length; 0 at the end; -1 with errno
 */
ssize_t descriptor_read(int fd, void *bytes, size_t cap);

/* Returns the text of an error of reading or writing, which names a closed
   descriptor as such. */
const char *descriptor_error(int error);

/* Returns whether descriptor_read() would return at once. */
bool descriptor_is_ready(int fd);

/*
 * Write all of bytes[0..len).
 *   returns  0; -1 with errno
 */
int descriptor_write(int fd, const void *bytes, size_t len);

#endif
