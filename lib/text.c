/*
 * Comparisons of texts with each other and with strings.
 * memcmp() and strncasecmp() are never given NULL: a text of length 0 may
 * have no bytes.
 */
#include "text.h"

#include <string.h>
#include <strings.h>

struct text
text_of(const char *string)
{
	return (struct text){ string, string != NULL ? strlen(string) : 0 };
}

bool
text_equal(struct text a, struct text b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

int
text_compare(struct text a, struct text b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.bytes, b.bytes, len) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool
text_is(struct text t, const char *string)
{
	return text_equal(t, text_of(string));
}

bool
text_begins(struct text t, const char *string)
{
	size_t len = strlen(string);

	return t.len >= len && text_is((struct text){ t.bytes, len }, string);
}

bool
text_is_word(struct text t, const char *word)
{
	return t.len == strlen(word) && text_begins_word(t, word);
}

bool
text_begins_word(struct text t, const char *word)
{
	size_t len = strlen(word);

	return t.len >= len &&
	    (len == 0 || strncasecmp(t.bytes, word, len) == 0);
}

size_t
text_find(struct text t, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i < n && !text_is(t, names[i]))
		i++;
	return i;
}

int
text_first_byte(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (memchr(" \t\r\n", t.bytes[i], 4) == NULL)
			return (unsigned char)t.bytes[i];
	return -1;
}
