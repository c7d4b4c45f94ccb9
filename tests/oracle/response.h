#ifndef ROWCAST_ORACLE_RESPONSE_H
#define ROWCAST_ORACLE_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A parser of an HTTP/1.1 response: gives its status, whether it is an event
 * stream, and its body without the framing.
 *   source   RFC 9112, 6 and 7
 */
struct response {
	int status; /* 0 until the head is complete */
	bool is_event_stream;
	bool is_chunked;
	bool has_length;
	bool is_over; /* the body is complete */
	int state;    /* private, like all members below */
	size_t left;  /* of this chunk, or of the body */
	size_t line_len;
	char line[1024];
};

void response_init(struct response *r);

/*
 * Takes the next bytes.  Calls body(cookie, bytes, len) for each run of the
 * body.
 *   returns  0; -1 if this is no response: do not call it again
 */
int response_take(struct response *r, const char *bytes, size_t len,
    void (*body)(void *cookie, const char *bytes, size_t len), void *cookie);

#endif
