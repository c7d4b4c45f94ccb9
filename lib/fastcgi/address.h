#ifndef ROWCAST_ADDRESS_H
#define ROWCAST_ADDRESS_H

#include <sys/types.h>

#include <stdbool.h>

#include "lib/options.h"

/*
 * Addresses to listen on: PATH, HOST:PORT, [HOST]:PORT or :PORT (loopback).
 */

/* Returns whether it is a PATH: that has a slash, or no colon. */
bool address_is_path(const char *address);

/* Read an address as the value of an option, a const char *; see struct option.
   Nothing is opened or looked up. */
enum options_result address_option(void *field, const char *value, char *why);

/*
 * Open a listening socket, non-blocking and close-on-exec.  A socket at a path
 * on which no process listens is replaced; one in use is refused.
 *   shape    address has passed address_option(); mode is that of a socket at
 *            a path
 *   returns  the descriptor; -1 with why set to what is wrong and what to do
 *   owns     the caller closes the descriptor and removes the path
 */
#define ADDRESS_WHY_MAX 256
int address_listen(const char *address, mode_t mode, char why[ADDRESS_WHY_MAX]);

/* Returns whether a list of addresses, separated by commas, has this one. */
bool address_is_listed(const char *list, const char *address);

#endif
