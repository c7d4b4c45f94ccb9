#ifndef ROWCAST_ACCEPT_H
#define ROWCAST_ACCEPT_H

/*
 * How an Accept header accepts a media type.  The most specific range that
 * matches decides; only a weight of 0 refuses.  A header without any range
 * accepts every type.  Parameters other than q are ignored:
 * "type/subtype;x=y" is read as "type/subtype".  Pure.
 *   shape    header, type and subtype are NUL-terminated; case is ignored
 *   source   RFC 9110, 12.4.2 (weights) and 12.5.1 (Accept)
 */
enum accept {
	ACCEPT_NOT,
	ACCEPT_ANY,  /* among others, as by a wildcard */
	ACCEPT_NAME, /* the header names the type */
};
enum accept accept_find(const char *header, const char *type,
    const char *subtype);

#endif
