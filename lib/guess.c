/*
 * What a mistyped word may mean.  More than one edit would also lead from
 * --publish-token to --publish-open.
 */
#include "guess.h"

#include <string.h>

static size_t
common_start(struct text a, struct text b)
{
	size_t n = 0;

	while (n < a.len && n < b.len && a.bytes[n] == b.bytes[n])
		n++;
	return n;
}

static size_t
common_end(struct text a, struct text b)
{
	size_t n = 0;

	while (n < a.len && n < b.len &&
	    a.bytes[a.len - 1 - n] == b.bytes[b.len - 1 - n])
		n++;
	return n;
}

static bool
is_one_edit(struct text a, struct text b)
{
	size_t start = common_start(a, b), end = common_end(a, b);
	const char *x = a.bytes + start, *y = b.bytes + start;

	if (a.len != b.len)
		return a.len + 1 == b.len ? start + end >= a.len :
		    a.len == b.len + 1    ? start + end >= b.len :
					    false;
	return start + end + 1 >= a.len ||
	    (start + end + 2 == a.len && x[0] == y[1] && x[1] == y[0]);
}

void
guess_offer(struct guess *g, const char *candidate)
{
	struct text other = text_of(candidate);

	if (g->best == NULL &&
	    ((g->word.len > 2 &&
		 strncmp(candidate, g->word.bytes, g->word.len) == 0) ||
		(g->word.len > 1 && is_one_edit(g->word, other))))
		g->best = candidate;
}
