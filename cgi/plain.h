#ifndef ROWCAST_PLAIN_H
#define ROWCAST_PLAIN_H

#include "publisher_config.h"

/*
 * Serve the one request of a CGI process: variables from the environment, body
 * from descriptor 0, answer to descriptor 1.  Waits for all of them.
 *   returns  0; -1 if the answer could not be written (warned of)
 *   source   RFC 3875
 */
int plain_serve(const struct publisher_config *config);

/* Write all of a text to descriptor 1; -1 with a warning if it cannot be. */
int plain_write(const char *bytes, size_t len);

#endif
