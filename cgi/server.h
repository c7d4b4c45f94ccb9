#ifndef ROWCAST_SERVER_H
#define ROWCAST_SERVER_H

#include "publisher_config.h"

/*
 * Serve publishing requests over FastCGI until SIGTERM or SIGINT: each as
 * it comes in, and all that wait to be appended at once.
 *   returns  0; -1 if it could not begin (warned of)
 *   source   FastCGI 1.0 specification
 */
int server_run(const struct publisher_config *config);

#endif
