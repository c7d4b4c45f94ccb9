#ifndef ROWCAST_GUESS_H
#define ROWCAST_GUESS_H

#include <stddef.h>

#include "text.h"

/*
 * The word that a user may have meant by one that does not exist.  Pure.
 *   word   as the user wrote it
 *   best   the first candidate that is near, borrowed; NULL: none yet
 */
struct guess {
	struct text word;
	const char *best;
};

/*
 * Compare with one candidate.  It is near if it begins with the word, of three
 * characters or more, or if one edit separates them: a character that is
 * missing, added or wrong, or two that are swapped.
 */
void guess_offer(struct guess *g, const char *candidate);

#endif
