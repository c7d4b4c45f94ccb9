#ifndef ROWCAST_OUTPUT_H
#define ROWCAST_OUTPUT_H

#include "buffer.h"

/*
 * Write all that is in the buffer to standard output and clear it.
 *   returns  0; -1 if it could not be written, or something is missing in it,
 *            which has been reported then.  Where the reader of a pipe has
 *            left, SIGPIPE ends the program
 */
int output_write(struct buffer *b);

/* Write the buffer and a line feed, and free the buffer.  Returns as
   output_write(). */
int output_line(struct buffer *b);

/* Has the reader of standard output left?  Then SIGPIPE ends the program, as
   it would with the next write. */
void output_check_reader(void);

#endif
