#ifndef ROWCAST_PLAIN_H
#define ROWCAST_PLAIN_H

#include <stddef.h>

#include "publisher_config.h"

/*
 * Serve the one request of a CGI process: variables from the environment, the
 * body from descriptor 0, the answer to descriptor 1.  Blocks on all of them.
 *   returns  0; -1 after a warning if there is no answer or it was not written
 *   source   RFC 3875
 */
int plain_serve(const struct publisher_config *config);

/* Write all of bytes[0..len) to descriptor 1.
     returns  0; -1 after a warning */
int plain_write(const char *bytes, size_t len);

#endif
