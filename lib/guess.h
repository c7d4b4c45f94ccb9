#ifndef ROWCAST_GUESS_H
#define ROWCAST_GUESS_H

#include <stddef.h>

#include "text.h"

/*
 * The word that a user may have meant by one that does not exist.  Pure.
 *   word   as the user wrote it
 *   best   the nearest candidate so far, borrowed; NULL: none is near
 *   edits  between word and best
 */
struct guess {
	struct text word;
	const char *best;
	size_t edits;
};

/*
 * Compare with one candidate.  It is near if it begins with the word, of three
 * characters or more, or if they differ by one edit for each three characters:
 * a character that is missing, added or wrong, or two that are swapped.
 */
void guess_offer(struct guess *g, const char *candidate);

#endif
