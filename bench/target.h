#ifndef ROWCAST_BENCH_TARGET_H
#define ROWCAST_BENCH_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where a stream is to be had: http://HOST:PORT/PATH, or fcgi:SOCKET for a
 * responder at a socket of AF_UNIX.
 */
struct target {
	bool is_fcgi;
	char host[128];
	char port[16];
	char path[512]; /* with query; of the socket for FastCGI */
};

int target_parse(const char *text, struct target *t); /* 0 or -1 */

/* A connected, blocking socket; -1 with errno. */
int target_connect(const struct target *t);

/*
 * Ask for the stream, on a connected socket.
 *   query          appended to the path; may be ""
 *   last_event_id  header, or NULL
 *   returns        0 or -1
 */
int target_ask(const struct target *t, int fd, const char *query,
    const char *last_event_id);

/* A name and a value of PARAMS, both shorter than 128 bytes; the length. */
size_t target_param(uint8_t *out, const char *name, const char *value);

#endif
