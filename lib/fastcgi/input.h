#ifndef ROWCAST_INPUT_H
#define ROWCAST_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records.h"

/*
 * What arrives over a connection: requests and their bodies.  Functions return
 * a verdict and leave it to the caller to close the connection.
 */

/* A request that is arriving.  Begins as 0: nothing has. */
struct input {
	char *bytes;
	size_t len;
	size_t capacity;
};

enum input_result {
	INPUT_NOTHING, /* no bytes have arrived */
	INPUT_MORE,    /* the request is not whole yet */
	INPUT_WHOLE,   /* bytes[0..*used) is a request */
	INPUT_LOST,    /* the peer has left, sends nonsense, or out of memory */
};

/*
 * Read once from fd, and answer management records there.
 *   head_only  the request is whole at the end of PARAMS; else at the end of
 *              STDIN, whose content is discarded
 *   owns       in->bytes: the caller frees them
 */
enum input_result input_read(struct input *in, int fd, bool head_only,
    size_t *used);

/* A request body that is arriving. */
struct input_body {
	struct records_body_reader reader;
	char *rest; /* received, but not yet taken: the body is paused */
	size_t rest_len;
	bool is_paused;
	bool is_over;
};

/*
 *   returns  NULL if out of memory
 *   owns     the caller; input_body_free()
 */
struct input_body *input_body_new(uint16_t id);
void input_body_free(struct input_body *b); /* b may be NULL */

/*
 * Take the next piece of the body from the front of *bytes, and advance *bytes
 * and *len.
 *   returns  see enum records_body; with RECORDS_BODY_END, *content is empty and
 *            its bytes are NULL
 */
enum records_body input_body_take(struct input_body *b, const char **bytes,
    size_t *len, struct text *content);

/*
 * Keep bytes for later; there is no rest yet.
 *   returns  0; -1 if out of memory
 */
int input_body_keep(struct input_body *b, const char *bytes, size_t len);

#endif
