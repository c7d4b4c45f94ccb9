/*
 * CGI variables and application/x-www-form-urlencoded text.
 *
 * Decoding is done in place: decoded text is never longer than its source.
 * Unlike the WHATWG parser, which guesses, this one refuses a '%' without two
 * hex digits and bytes that are not UTF-8: a guessed topic is a wrong topic.
 */
#include "form.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

const char *
form_var(const char *const *vars, const char *name)
{
	size_t len = strlen(name);

	for (; *vars != NULL; vars++)
		if (strncmp(*vars, name, len) == 0 && (*vars)[len] == '=')
			return *vars + len + 1;
	return NULL;
}

/* Decode '+' and "%XX" in place.  Returns 0; -1 for a '%' without two hex
   digits. */
static int
undo_escapes(char *bytes, size_t len, size_t *decoded_len)
{
	char *out = bytes;
	const char *end = bytes + len;

	for (const char *in = bytes; in < end; in++) {
		char digits[3] = "";

		if (*in != '%') {
			*out++ = *in == '+' ? ' ' : *in;
			continue;
		}
		if (end - in < 3)
			return -1;
		memcpy(digits, in + 1, 2);
		if (strspn(digits, "0123456789abcdefABCDEF") != 2)
			return -1;
		*out++ = (char)strtol(digits, NULL, 16);
		in += 2;
	}
	*decoded_len = (size_t)(out - bytes);
	return 0;
}

/* Decode bytes[0..len) into *t.  Returns 0; -1 with *t empty. */
static int
decode(char *bytes, size_t len, struct text *t)
{
	t->bytes = bytes;
	t->len = 0;
	if (undo_escapes(bytes, len, &len) < 0)
		return -1;
	if (!utf8_is_valid((struct text){ bytes, len }))
		return -1;
	t->len = len;
	return 0;
}

/* Remove the next pair and its '&' from *rest.  Returns the pair, encoded. */
static struct form_rest
cut_pair(struct form_rest *rest)
{
	struct form_rest raw = *rest;
	char *amp = memchr(rest->bytes, '&', rest->len);
	size_t used = rest->len;

	if (amp != NULL) {
		raw.len = (size_t)(amp - rest->bytes);
		used = raw.len + 1;
	}
	rest->bytes += used;
	rest->len -= used;
	return raw;
}

enum form_result
form_next(struct form_rest *rest, struct form_pair *pair)
{
	struct form_rest raw;
	size_t name_len;
	char *equals;

	*pair = (struct form_pair){ { "", 0 }, { "", 0 } };
	do {
		if (rest->len == 0)
			return FORM_END;
		raw = cut_pair(rest);
	} while (raw.len == 0);

	equals = memchr(raw.bytes, '=', raw.len);
	name_len = equals != NULL ? (size_t)(equals - raw.bytes) : raw.len;
	if (decode(raw.bytes, name_len, &pair->name) < 0)
		return FORM_MALFORMED;
	if (equals != NULL &&
	    decode(equals + 1, raw.len - name_len - 1, &pair->value) < 0)
		return FORM_MALFORMED;
	return FORM_PAIR;
}
