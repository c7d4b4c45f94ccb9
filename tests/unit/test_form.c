/*
 * form: CGI variables, and the pairs of a query string or a form body.
 * The property test splits and decodes again in the most literal way.
 */
#include "tap.h"

#include "lib/form.h"
#include "lib/utf8.h"

/* Form text that form_next() may overwrite. */
struct form {
	char bytes[200];
	struct form_rest rest;
};

static void
load(struct form *f, struct text t)
{
	memcpy(f->bytes, t.bytes, t.len);
	f->rest.bytes = f->bytes;
	f->rest.len = t.len;
}

/* Is the one pair in the text this one, and nothing after it? */
static bool
reads_as(struct text t, enum form_result result, struct text name,
    struct text value)
{
	struct form f;
	struct form_pair pair;

	load(&f, t);
	return form_next(&f.rest, &pair) == result &&
	    text_equal(pair.name, name) && text_equal(pair.value, value) &&
	    form_next(&f.rest, &pair) == FORM_END;
}

static void
check_pairs(void)
{
	check(reads_as(TEXT("a=1"), FORM_PAIR, TEXT("a"), TEXT("1")), "a pair");
	check(reads_as(TEXT("a="), FORM_PAIR, TEXT("a"), TEXT("")),
	    "an empty value");
	check(reads_as(TEXT("a"), FORM_PAIR, TEXT("a"), TEXT("")),
	    "a name without '=' has an empty value");
	check(reads_as(TEXT("=1"), FORM_PAIR, TEXT(""), TEXT("1")),
	    "an empty name");
	check(reads_as(TEXT("="), FORM_PAIR, TEXT(""), TEXT("")),
	    "an '=' alone is a pair of empty texts");
	check(reads_as(TEXT("a=1=2"), FORM_PAIR, TEXT("a"), TEXT("1=2")),
	    "the first '=' divides");
	check(reads_as(TEXT("&&a=1&&"), FORM_PAIR, TEXT("a"), TEXT("1")),
	    "empty pairs are passed over");
	check(reads_as(TEXT("a+b=+c+"), FORM_PAIR, TEXT("a b"), TEXT(" c ")),
	    "'+' is a space in names and values");
	check(reads_as(TEXT("a%20b=%2b%26%3D"), FORM_PAIR, TEXT("a b"),
		  TEXT("+&=")),
	    "percent-encoding in names and values");
	check(reads_as(TEXT("a=%c3%A4"), FORM_PAIR, TEXT("a"),
		  TEXT("\xc3\xa4")),
	    "hex digits in either case");
	check(reads_as(TEXT("a=\xc3\xa4"), FORM_PAIR, TEXT("a"),
		  TEXT("\xc3\xa4")),
	    "UTF-8 that is not encoded");
	check(reads_as(TEXT("a=x%00y"), FORM_PAIR, TEXT("a"), TEXT("x\0y")),
	    "an encoded NUL stays in the value");
}

static void
check_malformed(void)
{
	static const char *const values[] = { "%", "%4", "%4x", "%x4", "%%41",
		"%+1", "%c3", "%ff", "%c0%80", "\xff", "%ed%a0%80" };

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		char pair[64];
		int len = snprintf(pair, sizeof pair, "a=%s", values[i]);

		check(reads_as((struct text){ pair, (size_t)len },
			  FORM_MALFORMED, TEXT("a"), TEXT("")),
		    "value refused, name known: case %zu", i);
		len = snprintf(pair, sizeof pair, "a%s=1", values[i]);
		check(reads_as((struct text){ pair, (size_t)len },
			  FORM_MALFORMED, TEXT(""), TEXT("")),
		    "name refused and left empty: case %zu", i);
	}
}

static void
check_sequences(void)
{
	struct form f;
	struct form_pair one, two, three;
	struct form_rest nothing = { NULL, 0 };

	load(&f, TEXT("a=1&a=2&b=%4&c=3"));
	check(form_next(&f.rest, &one) == FORM_PAIR &&
		form_next(&f.rest, &two) == FORM_PAIR &&
		text_equal(one.name, TEXT("a")) &&
		text_equal(one.value, TEXT("1")) &&
		text_equal(two.name, TEXT("a")) &&
		text_equal(two.value, TEXT("2")),
	    "a repeated name is returned again, and both stay readable");
	check(form_next(&f.rest, &three) == FORM_MALFORMED,
	    "a malformed pair between others");
	check(form_next(&f.rest, &three) == FORM_PAIR &&
		text_equal(three.name, TEXT("c")) &&
		text_equal(three.value, TEXT("3")),
	    "reading goes on behind it");
	check(form_next(&f.rest, &three) == FORM_END, "and comes to the end");
	load(&f, TEXT("a=%4&1=2"));
	check(form_next(&f.rest, &one) == FORM_MALFORMED &&
		form_next(&f.rest, &two) == FORM_PAIR &&
		text_equal(two.name, TEXT("1")),
	    "an escape does not reach across '&'");
	check(form_next(&nothing, &one) == FORM_END, "no bytes: the end");
	load(&f, TEXT(""));
	check(form_next(&f.rest, &one) == FORM_END, "empty text: the end");
	load(&f, TEXT("&&&"));
	check(form_next(&f.rest, &one) == FORM_END,
	    "empty pairs only: the end");
}

static void
check_vars(void)
{
	static const char *const vars[] = { "ABC=1", "AB=2=3", "EMPTY=", "AB=4",
		"NOVALUE", NULL };
	static const char *const none[] = { NULL };
	const char *value = form_var(vars, "AB");

	check(value != NULL && strcmp(value, "2=3") == 0,
	    "form_var: the whole name, the first of two");
	value = form_var(vars, "EMPTY");
	check(value != NULL && *value == '\0', "form_var: an empty value");
	check(form_var(vars, "A") == NULL, "form_var: not a part of a name");
	check(form_var(vars, "NOVALUE") == NULL, "form_var: no '=', no value");
	check(form_var(none, "A") == NULL, "form_var: no variables at all");
}

/* One part decoded the literal way; -1 if it is malformed. */
static int
naive_decode(const char *s, size_t len, char *out, size_t *out_len)
{
	*out_len = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned int byte = (unsigned char)s[i];
		char hex[3] = { 0 };

		if (s[i] == '+')
			byte = ' ';
		if (s[i] == '%') {
			if (i + 2 >= len)
				return -1;
			memcpy(hex, s + i + 1, 2);
			if (strspn(hex, "0123456789abcdefABCDEF") != 2)
				return -1;
			byte = (unsigned int)strtoul(hex, NULL, 16);
			i += 2;
		}
		out[(*out_len)++] = (char)byte;
	}
	return utf8_is_valid((struct text){ out, *out_len }) ? 0 : -1;
}

static bool
is_naive_pair(const char *s, size_t len, enum form_result result,
    const struct form_pair *pair)
{
	char name[64], value[64];
	size_t name_len = 0, value_len = 0, cut = 0;
	enum form_result expected = FORM_PAIR;

	while (cut < len && s[cut] != '=')
		cut++;
	if (naive_decode(s, cut, name, &name_len) < 0) {
		expected = FORM_MALFORMED;
		name_len = 0;
	} else if (cut < len &&
	    naive_decode(s + cut + 1, len - cut - 1, value, &value_len) < 0) {
		expected = FORM_MALFORMED;
		value_len = 0;
	}
	return result == expected &&
	    text_equal(pair->name, (struct text){ name, name_len }) &&
	    text_equal(pair->value, (struct text){ value, value_len });
}

/* Read one text pair by pair, both ways. */
static bool
is_naive_form(struct text t)
{
	char *copy = malloc(t.len + 1);
	struct form_rest rest = { copy, t.len };
	struct form_pair pair;
	bool is_same = copy != NULL;

	if (copy != NULL)
		memcpy(copy, t.bytes, t.len);
	for (size_t i = 0; is_same && i < t.len;) {
		size_t end = i;

		while (end < t.len && t.bytes[end] != '&')
			end++;
		if (end > i) {
			enum form_result result = form_next(&rest, &pair);

			is_same =
			    is_naive_pair(t.bytes + i, end - i, result, &pair);
		}
		i = end + 1;
	}
	is_same = is_same && form_next(&rest, &pair) == FORM_END;
	free(copy);
	return is_same;
}

static bool
agrees_with_naive(void)
{
	static const char alphabet[] = "a4Cc3&&==%%%+\0\xc3\xa4";

	for (int i = 0; i < 200000; i++) {
		struct text t = tap_random_text(alphabet, sizeof alphabet - 1,
		    1 + tap_random(40));
		bool is_same = is_naive_form(t);

		tap_free_text(t);
		if (!is_same)
			return false;
	}
	return true;
}

int
main(void)
{
	tap_seed();
	check_pairs();
	check_malformed();
	check_sequences();
	check_vars();
	check(agrees_with_naive(), "random text: as the naive reader");
	return tap_end();
}
