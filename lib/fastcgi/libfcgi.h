#ifndef ROWCAST_LIBFCGI_H
#define ROWCAST_LIBFCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * libfcgi: how the process was started, and the variables of a request.  This
 * is the only module that uses libfcgi.  It neither accepts connections nor
 * reads from or writes to them.
 */

/* Initialise libfcgi.  SIGTERM and SIGUSR1 then have their default action, and
   SIGPIPE has a handler of libfcgi: install other handlers later.  Returns 0 or
   -1. */
int libfcgi_init(void);

/*
 * Returns whether descriptor 0 is a listening socket, as a web server passes it
 * to a FastCGI program that it starts.  Initialises libfcgi; if that fails,
 * returns true, so that libfcgi_init() reports it.
 */
bool libfcgi_is_spawned(void);

/* The socket pair over which libfcgi receives requests.  It begins as 0, is
   opened when needed, and ends with libfcgi_pair_close(). */
struct libfcgi_pair {
	int fds[2];
	bool is_open;
};
void libfcgi_pair_close(struct libfcgi_pair *pair);

/*
 * Parse a request that records_scan() or records_scan_head() found whole.
 *   returns  its variables, "NAME=value" each, NULL at the end; NULL if libfcgi
 *            refuses the request or if out of memory (errno is ENOMEM)
 *   owns     the caller frees them with free(): they are one block
 */
char **libfcgi_parse(struct libfcgi_pair *pair, const uint8_t *bytes,
    size_t used);

#endif
