#ifndef ROWCAST_FORM_H
#define ROWCAST_FORM_H

#include "text.h"

/*
 * CGI variables and application/x-www-form-urlencoded text, which is the query
 * string of every request and the body of some.  Pure.
 */

/*
 * Look up a CGI variable.
 *   shape    vars is an environment: "NAME=value" strings, NULL at the end
 *   returns  the value, lent by vars; NULL if there is no such variable
 */
const char *form_var(const char *const *vars, const char *name);

enum form_result {
	FORM_PAIR,      /* *pair is set */
	FORM_END,       /* there are no more pairs */
	FORM_MALFORMED, /* this pair holds a '%' without two hex digits, or
	                   bytes that are not UTF-8; if its name is well-formed,
	                   pair->name is set, else it is empty */
};

struct form_pair {
	struct text name;
	struct text value; /* empty if the pair had no '=' */
};

/*
 * Decode the next name=value pair.  Pairs are separated by '&'; empty ones
 * ("a=1&&b=2") are skipped.  '+' stands for a space.  A name may occur more
 * than once.
 *   shape    *rest is the text not yet read; it moves past the pair, also after
 *            FORM_MALFORMED
 *   voids    decodes in place: the bytes of the pair are overwritten
 *   owns     *pair borrows from the caller's buffer
 *   source   WHATWG URL, 5.1 "application/x-www-form-urlencoded parsing"
 */
struct form_rest {
	char *bytes;
	size_t len;
};
enum form_result form_next(struct form_rest *rest, struct form_pair *pair);

#endif
