/*
 * filter: which events pass, and when two filters are the same.  The property
 * tests compare random filters with the model over every topic of a small
 * alphabet.
 */
#include "wishes.h"

static struct pattern
exact(const char *s)
{
	return (struct pattern){ { s, strlen(s) }, false };
}

static struct pattern
prefix(const char *s)
{
	return (struct pattern){ { s, strlen(s) }, true };
}

/* "=a *b" for the normalised patterns of these. */
static bool
normalises_to(const struct pattern *patterns, size_t n, const char *expected)
{
	struct filter *f = filter_new(patterns, n, NULL, 0);
	const struct pattern *p;
	char list[200] = "";
	size_t n_left, len = 0;

	if (f == NULL)
		return false;
	p = filter_patterns(f, &n_left);
	for (size_t i = 0; i < n_left; i++)
		len += (size_t)snprintf(list + len, sizeof list - len,
		    "%s%c%.*s", i > 0 ? " " : "", p[i].is_prefix ? '*' : '=',
		    (int)p[i].text.len, p[i].text.bytes);
	filter_free(f);
	return strcmp(list, expected) == 0;
}

static void
check_normal_form(void)
{
	const struct pattern unsorted[] = { exact("b"), exact("a"),
		prefix("c") };
	const struct pattern repeated[] = { exact("a"), prefix("b"), exact("a"),
		prefix("b") };
	const struct pattern covered[] = { exact("ab"), prefix("abc"),
		exact("a"), prefix("a"), exact("b"), prefix("a") };
	const struct pattern all[] = { exact("x"), prefix(""), prefix("a"),
		exact("") };
	const struct pattern empty[] = { exact("") };
	const struct pattern bytes[] = { exact("\xff"), exact("a"), exact("aa"),
		exact("") };

	check(normalises_to(unsorted, 3, "=a =b *c"), "patterns are sorted");
	check(normalises_to(repeated, 4, "=a *b"), "repeats are dropped");
	check(normalises_to(covered, 6, "*a =b"),
	    "what a prefix covers is dropped");
	check(normalises_to(all, 4, "*"), "every topic is one empty prefix");
	check(normalises_to(NULL, 0, "*"), "no patterns: every topic");
	check(normalises_to(empty, 1, "="),
	    "the empty topic is a topic, not all of them");
	check(normalises_to(bytes, 4, "= =a =aa =\xff"),
	    "the order is that of unsigned bytes, shorter first");
}

static void
check_predicates(void)
{
	const struct pattern some[] = { exact("a"), prefix("b/") };
	const struct text names[] = { TEXT("x"), TEXT("") };
	struct filter *all = filter_new(NULL, 0, NULL, 0);
	struct filter *named = filter_new(NULL, 0, names, 2);
	struct filter *mixed = filter_new(some, 2, NULL, 0);
	struct filter *plain = filter_new(some, 1, NULL, 0);

	if (all == NULL || named == NULL || mixed == NULL || plain == NULL)
		abort();
	check(filter_is_all(all), "no wish: all");
	check(!filter_is_all(named), "a name asked for: not all");
	check(!filter_is_all(mixed), "a topic asked for: not all");
	check(filter_is_exact(plain), "exact topics only: exact");
	check(!filter_is_exact(mixed), "one prefix: not exact");
	check(!filter_is_exact(all), "all: not exact");
	check(filter_has_topic(all, (struct text){ NULL, 0 }) &&
		filter_has_topic(all, TEXT("any")),
	    "all: every topic, the empty one too");
	check(filter_has_topic(mixed, TEXT("a")) &&
		filter_has_topic(mixed, TEXT("b/")) &&
		filter_has_topic(mixed, TEXT("b/c")),
	    "exact topic and prefix match");
	check(!filter_has_topic(mixed, TEXT("")) &&
		!filter_has_topic(mixed, TEXT("aa")) &&
		!filter_has_topic(mixed, TEXT("b")) &&
		!filter_has_topic(mixed, TEXT("a\0")),
	    "their neighbours do not");
	check(filter_has_name(all, TEXT("any")), "no names: every name");
	check(filter_has_name(named, TEXT("x")) &&
		filter_has_name(named, (struct text){ NULL, 0 }) &&
		!filter_has_name(named, TEXT("xx")) &&
		!filter_has_name(named, TEXT("y")),
	    "names match as a whole");
	filter_free(all);
	filter_free(named);
	filter_free(mixed);
	filter_free(plain);
	filter_free(NULL);
}

static bool
have_same_key(const struct filter *a, const struct filter *b)
{
	return text_equal(filter_key(a), filter_key(b));
}

static bool
keys_differ(const struct pattern *a, size_t n_a, const struct text *names_a,
    size_t n_names_a, const struct pattern *b, size_t n_b,
    const struct text *names_b, size_t n_names_b)
{
	struct filter *x = filter_new(a, n_a, names_a, n_names_a);
	struct filter *y = filter_new(b, n_b, names_b, n_names_b);
	bool differ;

	if (x == NULL || y == NULL)
		abort();
	differ = !have_same_key(x, y);
	filter_free(x);
	filter_free(y);
	return differ;
}

static void
check_keys(void)
{
	const struct pattern a_b[] = { exact("a"), exact("b") };
	const struct pattern ab[] = { exact("ab") };
	const struct pattern a[] = { exact("a") };
	const struct pattern a_star[] = { prefix("a") };
	const struct pattern literal[] = { exact("a*") };
	const struct text b[] = { TEXT("b") };
	const struct text empty[] = { TEXT("") };

	check(keys_differ(a_b, 2, NULL, 0, ab, 1, NULL, 0),
	    "keys: two topics, and both in one");
	check(keys_differ(a, 1, NULL, 0, a_star, 1, NULL, 0),
	    "keys: a topic, and the same as prefix");
	check(keys_differ(a_star, 1, NULL, 0, literal, 1, NULL, 0),
	    "keys: a prefix, and a topic that ends in a star");
	check(keys_differ(a_b, 2, NULL, 0, a, 1, b, 1),
	    "keys: a topic, and a name of the same text");
	check(keys_differ(a, 1, NULL, 0, a, 1, empty, 1),
	    "keys: no name, and the empty one");
}

static void
check_ownership(void)
{
	char topic[] = "abc", name[] = "xyz";
	const struct pattern p = { { topic, 3 }, false };
	const struct text n = { name, 3 };
	struct filter *f = filter_new(&p, 1, &n, 1);

	if (f == NULL)
		abort();
	memset(topic, '-', 3);
	memset(name, '-', 3);
	check(filter_has_topic(f, TEXT("abc")) &&
		filter_has_name(f, TEXT("xyz")),
	    "everything is copied");
	filter_free(f);
}

/* ---- properties ---- */

/*
 * Every text of a, b and c up to one byte longer than patterns are, in an
 * order of its own; false when there are no more.  No pattern has a c: it
 * stands for all the other bytes.
 */
static bool
next_text(char *bytes, size_t *len)
{
	size_t i = 0;

	while (i < *len && bytes[i] == 'c')
		bytes[i++] = 'a';
	if (i < *len) {
		bytes[i]++;
		return true;
	}
	bytes[(*len)++] = 'a';
	return *len <= TEXT_MAX + 1;
}

static bool
is_as_wished(const struct wish *w)
{
	struct filter *f =
	    filter_new(w->patterns, w->n_patterns, w->names, w->n_names);
	char bytes[TEXT_MAX + 2];
	struct text t = { bytes, 0 };
	bool is_good = f != NULL;

	do {
		is_good = is_good &&
		    filter_has_topic(f, t) == wish_has_topic(w, t) &&
		    filter_has_name(f, t) == wish_has_name(w, t);
	} while (next_text(bytes, &t.len));
	filter_free(f);
	return is_good;
}

static bool
all_as_wished(void)
{
	struct wish w;

	for (int i = 0; i < 20000; i++) {
		random_wish(&w);
		if (!is_as_wished(&w))
			return false;
	}
	return true;
}

static bool
pass_the_same(const struct wish *a, const struct wish *b)
{
	char bytes[TEXT_MAX + 2];
	struct text t = { bytes, 0 };

	do {
		if (wish_has_topic(a, t) != wish_has_topic(b, t) ||
		    wish_has_name(a, t) != wish_has_name(b, t))
			return false;
	} while (next_text(bytes, &t.len));
	return true;
}

/* Another order, a repeat, something that is covered anyway. */
static void
vary(const struct wish *w, struct wish *v)
{
	*v = *w;
	for (size_t i = 1; i < v->n_patterns; i++) {
		size_t k = tap_random(i + 1);
		struct pattern p = v->patterns[i];

		v->patterns[i] = v->patterns[k];
		v->patterns[k] = p;
	}
	if (v->n_patterns > 0 && v->n_patterns < PATTERNS_MAX) {
		struct pattern p = v->patterns[tap_random(v->n_patterns)];

		/* The bytes of an unused slot: "a" behind the prefix. */
		if (p.is_prefix && p.text.len < TEXT_MAX) {
			char *bytes = v->bytes[v->n_patterns];

			memcpy(bytes, p.text.bytes, p.text.len);
			bytes[p.text.len++] = 'a';
			p.text.bytes = bytes;
			p.is_prefix = tap_random(2) > 0;
		}
		v->patterns[v->n_patterns++] = p;
	}
}

/* Equal keys exactly where the same events pass. */
static bool
keys_tell_wishes_apart(size_t *n_equal)
{
	for (int i = 0; i < 20000; i++) {
		struct wish a, b;
		struct filter *x, *y;
		bool is_same, is_good;

		random_wish(&a);
		if (tap_random(2) > 0)
			vary(&a, &b);
		else
			random_wish(&b);
		x = filter_new(a.patterns, a.n_patterns, a.names, a.n_names);
		y = filter_new(b.patterns, b.n_patterns, b.names, b.n_names);
		if (x == NULL || y == NULL)
			abort();
		is_same = pass_the_same(&a, &b);
		is_good = have_same_key(x, y) == is_same;
		*n_equal += is_same;
		filter_free(x);
		filter_free(y);
		if (!is_good)
			return false;
	}
	return true;
}

int
main(void)
{
	size_t n_equal = 0;

	tap_seed();
	check_normal_form();
	check_predicates();
	check_keys();
	check_ownership();
	check(all_as_wished(), "random wishes: as the naive matcher");
	check(keys_tell_wishes_apart(&n_equal),
	    "random wishes: the same key exactly if the same events pass");
	check(n_equal > 1000, "of which enough were the same");
	return tap_end();
}
