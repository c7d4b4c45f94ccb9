#ifndef ROWCAST_ACCEPT_H
#define ROWCAST_ACCEPT_H

#include <stdbool.h>

/*
 * Does an Accept header leave room for a media type?  The most specific range
 * that matches decides, and only a weight of 0 is a no.  Without any range
 * (no header, an empty one) everything is welcome.  Pure.
 *   shape    header, type and subtype are NUL-ended; case does not matter
 * Parameters of a range other than q are passed over: "type/subtype;x=y" is
 * taken for "type/subtype", since a client that names it wants it.
 *   source   RFC 9110, 12.4.2 (weights) and 12.5.1 (Accept)
 */
bool accept_has(const char *header, const char *type, const char *subtype);

#endif
