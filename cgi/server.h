#ifndef ROWCAST_SERVER_H
#define ROWCAST_SERVER_H

#include "publisher_config.h"

/*
 * Serve publishing requests over FastCGI until SIGTERM or SIGINT.  Requests that
 * wait at the same time are appended in one transaction.
 *   returns  0 after serving; -1 after a warning if it could not start
 *   source   FastCGI 1.0 specification
 */
int server_run(const struct publisher_config *config);

#endif
