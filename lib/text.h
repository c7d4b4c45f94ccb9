#ifndef ROWCAST_TEXT_H
#define ROWCAST_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A run of bytes.  Any byte may occur in it, NUL included.
 *   shape    bytes[0..len), not NUL-terminated; bytes may be NULL if len is 0
 *   owns     nothing: the function that fills the struct says how long the
 *            bytes stay valid
 */
struct text {
	const char *bytes;
	size_t len;
};

/* Returns the characters of a string as a text; NULL gives an empty text. */
struct text text_of(const char *string);

/* Returns whether two texts have the same bytes. */
bool text_equal(struct text a, struct text b);

/*
 * Compare two texts byte by byte; a text sorts before its continuations.
 *   returns  less than, equal to or greater than 0, like memcmp()
 */
int text_compare(struct text a, struct text b);

/* Returns whether the text has exactly the bytes of the string. */
bool text_is(struct text t, const char *string);

/* Returns whether the text begins with the bytes of the string. */
bool text_begins(struct text t, const char *string);

/* Like text_is() and text_begins(), but ignore the case of ASCII letters. */
bool text_is_word(struct text t, const char *word);
bool text_begins_word(struct text t, const char *word);

/* Returns the first byte that is not white space (space, tab, CR, LF); -1 if
   there is none. */
int text_first_byte(struct text t);

/*
 * Look a name up in a table.
 *   returns  the index of the first equal string; n if there is none
 */
size_t text_find(struct text t, const char *const *names, size_t n);

#endif
