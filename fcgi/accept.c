/*
 * The Accept header, for one media type.
 * A malformed weight counts as acceptance: RFC 9110 allows a server to
 * disregard the header.
 */
#include "accept.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/text.h"

/* Remove white space from both ends. */
static struct text
trim(const char *begin, const char *end)
{
	while (begin < end && (*begin == ' ' || *begin == '\t'))
		begin++;
	while (begin < end && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct text){ begin, (size_t)(end - begin) };
}

/* Take the front of *s up to a stop character outside quotes; advance *s. */
static struct text
cut(const char **s, const char *stops)
{
	const char *begin = *s, *p = begin;
	bool is_quoted = false;

	for (; *p != '\0' && (is_quoted || strchr(stops, *p) == NULL); p++) {
		if (*p == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && *p == '\\' && p[1] != '\0')
			p++;
	}
	*s = p;
	return trim(begin, p);
}

/* Returns how closely a range matches: NAMED for type/subtype, 2 for any
   subtype, 1 for any type, 0 if it does not match. */
#define NAMED 3
static int
specificity(struct text range, const char *type, const char *subtype)
{
	const char *slash = memchr(range.bytes, '/', range.len);
	struct text first, second;

	if (slash == NULL)
		return 0;
	first = (struct text){ range.bytes, (size_t)(slash - range.bytes) };
	second = (struct text){ slash + 1, range.len - first.len - 1 };
	if (text_is_word(first, type)) {
		if (text_is_word(second, subtype))
			return NAMED;
		return text_is(second, "*") ? 2 : 0;
	}
	return text_is(first, "*") && text_is(second, "*");
}

/* Returns whether the parameter is "q=0", possibly with zero decimals. */
static bool
is_zero_weight(struct text parameter)
{
	static const char zero[] = "q=0";
	size_t len = sizeof zero - 1;

	if (!text_begins_word(parameter, zero))
		return false;
	if (parameter.len == len)
		return true;
	return parameter.bytes[len] == '.' &&
	    strspn(parameter.bytes + len + 1, "0") >= parameter.len - len - 1;
}

enum accept
accept_find(const char *header, const char *type, const char *subtype)
{
	int best = 0;
	bool has_ranges = false, is_accepted = false;

	while (*header != '\0') {
		struct text range = cut(&header, ";,");
		int rank = specificity(range, type, subtype);
		bool is_zero = false;

		while (*header == ';') {
			header++;
			if (is_zero_weight(cut(&header, ";,")))
				is_zero = true;
		}
		if (*header == ',')
			header++;
		has_ranges = has_ranges || range.len > 0;
		if (rank > best) {
			best = rank;
			is_accepted = !is_zero;
		} else if (rank > 0 && rank == best) {
			is_accepted = is_accepted || !is_zero;
		}
	}
	if (!is_accepted)
		return has_ranges ? ACCEPT_NOT : ACCEPT_ANY;
	return best == NAMED ? ACCEPT_NAME : ACCEPT_ANY;
}
