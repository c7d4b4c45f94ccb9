/*
 * utf8: well-formed or not, against table 3-7 of the Unicode standard.
 * The property test walks that table byte by byte for random sequences.
 */
#include "tap.h"

#include "lib/utf8.h"

static const struct {
	struct text text;
	bool is_valid;
	const char *name;
} cases[] = {
	{ { NULL, 0 }, true, "empty text without bytes" },
	{ { "", 0 }, true, "empty text" },
	{ { "plain", 5 }, true, "ASCII" },
	{ { "a\0b", 3 }, true, "NUL in the middle" },
	{ { "\0", 1 }, true, "NUL alone" },
	{ { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9 }, true,
	    "two, three and four bytes" },
	{ { "\xf4\x8f\xbf\xbf", 4 }, true, "U+10FFFF" },
	{ { "\xf4\x90\x80\x80", 4 }, false, "above U+10FFFF" },
	{ { "\xc0\x80", 2 }, false, "overlong NUL" },
	{ { "\xc1\xbf", 2 }, false, "overlong of two bytes" },
	{ { "\xe0\x9f\xbf", 3 }, false, "overlong of three bytes" },
	{ { "\xf0\x8f\xbf\xbf", 4 }, false, "overlong of four bytes" },
	{ { "\xed\x9f\xbf", 3 }, true, "last before the surrogates" },
	{ { "\xed\xa0\x80", 3 }, false, "high surrogate" },
	{ { "\xed\xbf\xbf", 3 }, false, "low surrogate" },
	{ { "\xee\x80\x80", 3 }, true, "first after the surrogates" },
	{ { "\x80", 1 }, false, "continuation alone" },
	{ { "\xc3", 1 }, false, "cut after one of two" },
	{ { "ab\xe2\x82", 4 }, false, "cut after two of three" },
	{ { "\xf0\x9f\x98", 3 }, false, "cut after three of four" },
	{ { "\xc3(", 2 }, false, "lead byte, then ASCII" },
	{ { "\xff", 1 }, false, "0xff" },
	{ { "\xf8\x88\x80\x80\x80", 5 }, false, "five bytes" },
};

static bool
is_in(unsigned char c, unsigned char low, unsigned char high)
{
	return low <= c && c <= high;
}

/* Length of the well-formed sequence at s, or 0. */
static size_t
naive_sequence(const unsigned char *s, size_t len)
{
	static const unsigned char table[][5] = {
		/* lead from, to, second from, to, length: table 3-7 */
		{ 0x00, 0x7f, 0x00, 0x00, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		size_t n = table[i][4];
		bool is_good = is_in(s[0], table[i][0], table[i][1]) &&
		    n <= len &&
		    (n < 2 || is_in(s[1], table[i][2], table[i][3]));

		for (size_t k = 2; is_good && k < n; k++)
			is_good = is_in(s[k], 0x80, 0xbf);
		if (is_good)
			return n;
	}
	return 0;
}

static bool
naive_is_valid(struct text t)
{
	const unsigned char *s = (const unsigned char *)t.bytes;
	size_t i = 0;

	while (i < t.len) {
		size_t n = naive_sequence(s + i, t.len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

static bool
agrees_with_table(void)
{
	/* The bytes at which the table changes its mind. */
	static const char edges[] = "\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1"
				    "\xc2\xdf\xe0\xe1\xec\xed\xee\xef\xf0\xf1"
				    "\xf3\xf4\xf5\xff";

	for (int i = 0; i < 200000; i++) {
		struct text t = tap_random_text(edges, sizeof edges - 1, 5);
		bool is_same = utf8_is_valid(t) == naive_is_valid(t);

		tap_free_text(t);
		if (!is_same)
			return false;
	}
	return true;
}

/* Walked through, a text ends where it ends, and holds replacements exactly if
   it is not well-formed: there is no U+FFFD among the edges. */
static bool
walks(struct text t)
{
	bool is_broken = false;
	size_t at = 0;

	while (at < t.len) {
		uint32_t c;
		size_t len = utf8_next(t, at, &c);

		if (len == 0 || len > t.len - at)
			return false;
		is_broken = is_broken || c == UTF8_REPLACEMENT;
		at += len;
	}
	return is_broken != utf8_is_valid(t);
}

static bool
walks_random(void)
{
	static const char edges[] = "\x00\x7f\x80\x8f\x90\x9f\xa0\xc1\xc2"
				    "\xdf\xe0\xe1\xed\xf0\xf4\xf5\xff";

	for (int i = 0; i < 200000; i++) {
		struct text t = tap_random_text(edges, sizeof edges - 1, 9);
		bool is_right = walks(t);

		tap_free_text(t);
		if (!is_right)
			return false;
	}
	return true;
}

int
main(void)
{
	tap_seed();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(utf8_is_valid(cases[i].text) == cases[i].is_valid,
		    "%s is %s", cases[i].name,
		    cases[i].is_valid ? "valid" : "refused");
	check(agrees_with_table(), "random bytes: as table 3-7 says");
	check(walks_random(), "random bytes: walked through to their end");
	return tap_end();
}
