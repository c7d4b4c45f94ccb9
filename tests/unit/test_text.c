/*
 * text: texts compared with each other and with strings.
 */
#include "lib/text.h"

#include "tap.h"

static void
check_equal(void)
{
	const struct text none = { 0 };

	check(text_equal(none, TEXT("")) && text_equal(TEXT(""), none),
	    "an empty text needs no bytes");
	check(text_equal(TEXT("a\0b"), TEXT("a\0b")) &&
		!text_equal(TEXT("a\0b"), TEXT("a\0c")),
	    "bytes behind a NUL count");
	check(!text_equal(TEXT("ab"), TEXT("abc")), "so does the length");
	check(text_is(none, "") && !text_is(TEXT("ab\0"), "ab"),
	    "a string ends at its NUL, a text does not");
	check(text_of(NULL).len == 0 && text_of("ab").len == 2,
	    "a text of a string, or of none");
}

static void
check_order(void)
{
	check(text_compare(TEXT("ab"), TEXT("abc")) < 0 &&
		text_compare(TEXT("abc"), TEXT("ab")) > 0,
	    "a text sorts before its continuations");
	check(text_compare(TEXT("a\xff"), TEXT("az")) > 0,
	    "bytes compare as unsigned numbers");
	check(text_compare(TEXT(""), (struct text){ 0 }) == 0,
	    "empty texts are equal");
}

static void
check_begins(void)
{
	check(text_begins(TEXT("stream-gap"), "stream-") &&
		text_begins(TEXT("stream-"), "stream-"),
	    "a text begins with a prefix, or with all of itself");
	check(!text_begins(TEXT("stream"), "stream-") &&
		!text_begins(TEXT("Stream-x"), "stream-"),
	    "not with more than it has, nor in another case");
	check(text_begins((struct text){ 0 }, ""),
	    "every text begins with \"\"");
}

static void
check_first_byte(void)
{
	check(text_first_byte(TEXT(" \t\r\n\xff ")) == 0xff,
	    "white space is skipped, and bytes are unsigned");
	check(text_first_byte(TEXT(" \0")) == 0, "NUL is a byte");
	check(text_first_byte(TEXT(" \n")) < 0 &&
		text_first_byte((struct text){ 0 }) < 0,
	    "there may be none");
}

static void
check_words(void)
{
	check(text_is_word(TEXT("UTF-8"), "utf-8") &&
		!text_is_word(TEXT("utf-16"), "utf-8") &&
		!text_is_word(TEXT("utf-"), "utf-8"),
	    "words are compared without regard to case");
	check(text_begins_word(TEXT("bearer x"), "Bearer ") &&
		!text_begins_word(TEXT("bear"), "Bearer "),
	    "and so are prefixes");
	check(text_is_word((struct text){ 0 }, ""), "an empty word is one");
}

static void
check_find(void)
{
	static const char *const names[] = { "topic", "event", "data" };

	check(text_find(TEXT("event"), names, 3) == 1, "a name's place");
	check(text_find(TEXT("key"), names, 3) == 3, "n for an unknown name");
}

int
main(void)
{
	check_equal();
	check_order();
	check_begins();
	check_first_byte();
	check_words();
	check_find();
	return tap_end();
}
