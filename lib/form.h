#ifndef ROWCAST_FORM_H
#define ROWCAST_FORM_H

#include "event.h"

/*
 * CGI variables and application/x-www-form-urlencoded text: the query string
 * of every request, and the body of some.  Pure.
 */

/*
 * The value of a CGI variable.
 *   shape    vars is an environment: "NAME=value" strings, NULL at the end
 *   returns  the value, lent by vars; NULL if there is no such variable
 */
const char *form_var(const char *const *vars, const char *name);

enum form_result {
	FORM_PAIR,      /* one pair was taken */
	FORM_END,       /* there was nothing left */
	FORM_MALFORMED, /* a '%' without two hex digits, or bytes that are not
	                   UTF-8, in this pair; its name is set if that part
	                   was readable, else empty */
};

struct form_pair {
	struct text name;
	struct text value; /* empty if the pair had no '=' */
};

/*
 * Take the next name=value pair from the front of form text and decode it.
 * Pairs are separated by '&'; empty ones ("a=1&&b=2") are passed over; '+'
 * stands for a space; a repeated name is simply returned again.
 *   shape    *rest is what is left to read; moved past the pair
 *   voids    decodes in place: the bytes under *rest are overwritten
 *   returns  see enum form_result; after FORM_MALFORMED *rest is past the pair
 *   owns     pair->name and pair->value point into the caller's buffer
 *   source   WHATWG URL, 5.1 "application/x-www-form-urlencoded parsing"
 */
struct form_rest {
	char *bytes;
	size_t len;
};
enum form_result form_next(struct form_rest *rest, struct form_pair *pair);

#endif
