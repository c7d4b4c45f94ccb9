#ifndef ROWCAST_BENCH_TARGET_H
#define ROWCAST_BENCH_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The address of a stream: http://HOST:PORT/PATH, or fcgi:SOCKET for a
 * responder at a UNIX domain socket.
 */
struct target {
	bool is_fcgi;
	char host[128];
	char port[16];
	char path[512]; /* with its query; for FastCGI, of the socket */
};

/* Returns 0; -1 if text is no address. */
int target_parse(const char *text, struct target *t);

/* Returns a connected, blocking socket; -1 with errno set. */
int target_connect(const struct target *t);

/*
 * Sends the request for the stream on a connected socket.
 *   query          appended to the path; may be ""; shorter than
 *                  TARGET_QUERY_MAX
 *   last_event_id  value of the header, or NULL
 *   returns        0, or -1
 */
#define TARGET_QUERY_MAX 32768
int target_ask(const struct target *t, int fd, const char *query,
    const char *last_event_id);

/* Writes a name, shorter than 128 bytes, and a value of PARAMS; returns the
   length. */
size_t target_param(uint8_t *out, const char *name, const char *value);

#endif
