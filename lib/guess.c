/*
 * The distance of words: optimal string alignment, a Levenshtein distance that
 * counts a swap as one edit.  Long words are not compared: no command or option
 * is as long.
 */
#include "guess.h"

#include <string.h>

#define WORD_MAX 32

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Neither text is longer than WORD_MAX. */
static size_t
distance(struct text a, struct text b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= a.len; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= b.len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a.len; i++)
		for (size_t j = 1; j <= b.len; j++) {
			const char *x = a.bytes + i - 1, *y = b.bytes + j - 1;

			d[i][j] = min(d[i - 1][j - 1] + (*x != *y),
			    min(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && x[0] == y[-1] && x[-1] == y[0])
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[a.len][b.len];
}

void
guess_offer(struct guess *g, const char *candidate)
{
	struct text word = g->word, other = text_of(candidate);
	size_t edits;

	if (word.len < 2 || word.len > WORD_MAX || other.len > WORD_MAX)
		return;
	edits = word.len > 2 && strncmp(candidate, word.bytes, word.len) == 0 ?
	    1 :
	    distance(word, other);
	if (edits > (word.len + 1) / 3 ||
	    (g->best != NULL && edits >= g->edits))
		return;
	g->best = candidate;
	g->edits = edits;
}
