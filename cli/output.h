#ifndef ROWCAST_OUTPUT_H
#define ROWCAST_OUTPUT_H

#include "buffer.h"

/*
 * Write the buffer to standard output and clear it.
 *   returns  0; -1 after it has reported that writing, or an allocation, has
 *            failed.  SIGPIPE ends the program if the reader of a pipe has left
 */
int output_write(struct buffer *b);

/* Write the buffer and a line feed, and free the buffer.  Returns as
   output_write(). */
int output_line(struct buffer *b);

/* End the program by SIGPIPE, as the next write would, if the reader of
   standard output has left. */
void output_check_reader(void);

#endif
