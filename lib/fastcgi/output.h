#ifndef ROWCAST_OUTPUT_H
#define ROWCAST_OUTPUT_H

#include <sys/uio.h>

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of a response that the socket has not taken yet.  Begins as 0: none.
 */
struct output {
	char *bytes;
	size_t len;
	size_t sent; /* of these */
};

/*
 * Each of the following that adds bytes copies them.
 *   returns  0; -1 if out of memory (unchanged)
 */

/* What is left of pieces, which hold total bytes, after the first sent ones. */
int output_keep(struct output *o, const struct iovec *pieces, int n,
    size_t sent, size_t total);

/* Append the records that end a response. */
int output_add_end(struct output *o, uint16_t id);

/* A whole response of any length: STDOUT records and their end.  Nothing may be
   unsent before. */
int output_set(struct output *o, uint16_t id, const char *bytes, size_t len);

/*
 * Write to fd as much as it takes.
 *   returns  0 if nothing is left (and frees the bytes); -1 with errno, which
 *            is EAGAIN if fd takes no more now
 */
int output_flush(struct output *o, int fd);

#endif
