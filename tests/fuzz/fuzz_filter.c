/*
 * Filters over any patterns.  Each line of the input is a text whose first byte
 * says its use: '=' a topic, '*' a prefix, 'n' a name of the filter, else a
 * topic and name to look up.  The filter must agree with the model, and must
 * not depend on the order of its patterns and names.
 *
 * Covers: lib/filter.c
 */
#include "fuzz.h"

#include "lib/filter.h"
#include "tests/oracle/filter_model.h"

#define LINES_MAX 64
#define ASKED_MAX 192

struct lines {
	struct pattern patterns[LINES_MAX], patterns_reversed[LINES_MAX];
	struct text names[LINES_MAX], names_reversed[LINES_MAX];
	struct text asked[ASKED_MAX];
	size_t n_patterns, n_names, n_asked;
};

/* What can be a topic or a name at all, and a pattern that is read. */
static void
check_pattern(struct text t)
{
	struct pattern p = { { NULL, 0 }, false };
	bool is_prefix = t.len > 0 && t.bytes[t.len - 1] == '*', is_good;
	struct text rest = { t.bytes, t.len - (is_prefix ? 1 : 0) };

	is_good = rest.len <= 255;
	for (size_t i = 0; i < rest.len; i++)
		if (rest.bytes[i] == '\r' || rest.bytes[i] == '\n' ||
		    rest.bytes[i] == '\0')
			is_good = false;
	require(filter_is_name(rest) == is_good);
	require((filter_read_pattern(t, &p) == 0) == is_good);
	require(
	    !is_good || (p.is_prefix == is_prefix && text_equal(p.text, rest)));
}

/* Does it say of itself what the wish says? */
static void
check_kind(const struct lines *l, const struct filter *f)
{
	bool is_all = l->n_patterns == 0, is_exact = l->n_patterns > 0;

	for (size_t i = 0; i < l->n_patterns; i++)
		if (l->patterns[i].is_prefix) {
			is_exact = false;
			is_all |= l->patterns[i].text.len == 0;
		}
	require(filter_is_exact(f) == is_exact);
	require(filter_is_all(f) == (is_all && l->n_names == 0));
}

static void
take_line(struct lines *l, struct text line)
{
	char what = line.len > 0 ? line.bytes[0] : '\0';

	if (line.len > 0) {
		line.bytes++;
		line.len--;
	}
	/* Patterns and names are asked for too: they are their own edges. */
	if (l->n_asked < ASKED_MAX)
		l->asked[l->n_asked++] = line;
	if ((what == '=' || what == '*') && l->n_patterns < LINES_MAX)
		l->patterns[l->n_patterns++] =
		    (struct pattern){ line, what == '*' };
	else if (what == 'n' && l->n_names < LINES_MAX)
		l->names[l->n_names++] = line;
}

static void
read_lines(struct lines *l, const char *s, size_t size)
{
	while (size > 0) {
		const char *end = memchr(s, '\n', size);
		size_t len = end != NULL ? (size_t)(end - s) : size;

		take_line(l, (struct text){ s, len });
		s += end != NULL ? len + 1 : len;
		size -= end != NULL ? len + 1 : len;
	}
	for (size_t i = 0; i < l->n_patterns; i++)
		l->patterns_reversed[i] = l->patterns[l->n_patterns - 1 - i];
	for (size_t i = 0; i < l->n_names; i++)
		l->names_reversed[i] = l->names[l->n_names - 1 - i];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lines l;
	struct filter *f, *reversed, *again;
	const struct pattern *patterns;
	size_t n;

	memset(&l, 0, sizeof l);
	read_lines(&l, (const char *)data, size);
	f = filter_new(l.patterns, l.n_patterns, l.names, l.n_names);
	reversed = filter_new(l.patterns_reversed, l.n_patterns,
	    l.names_reversed, l.n_names);
	require(f != NULL && reversed != NULL);
	require(text_equal(filter_key(f), filter_key(reversed)));
	check_kind(&l, f);
	/* The normal form of a normal form is itself. */
	patterns = filter_patterns(f, &n);
	again = filter_new(patterns, n, l.names, l.n_names);
	require(again != NULL && text_equal(filter_key(f), filter_key(again)));
	for (size_t i = 0; i < l.n_asked; i++) {
		check_pattern(l.asked[i]);
		require(filter_has_topic(f, l.asked[i]) ==
		    model_has_topic(l.patterns, l.n_patterns, l.asked[i]));
		require(filter_has_name(f, l.asked[i]) ==
		    model_has_name(l.names, l.n_names, l.asked[i]));
	}
	filter_free(f);
	filter_free(reversed);
	filter_free(again);
	return 0;
}
