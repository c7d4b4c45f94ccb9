/*
 * Which topics and event names a client asks for.  One block of memory holds
 * the struct, the patterns, the names, and the key, which contains the texts.
 * Invariant: patterns are sorted by bytes and none covers another.  So at most
 * one can match a topic: the last one that does not sort after it.
 */
#include "filter.h"

#include <stdlib.h>
#include <string.h>

struct filter {
	struct text key;
	struct pattern *names; /* whole ones, behind the patterns */
	size_t n_names;        /* 0: every name */
	size_t n_patterns;     /* >= 1 */
	bool is_exact;
	struct pattern patterns[]; /* then the names, then the key */
};

/* In front of each text in the key: what it is, and its length. */
#define KEY_HEAD_BYTES (1 + sizeof(size_t))

static bool
matches(const struct pattern *p, struct text t)
{
	if (p->is_prefix && t.len > p->text.len)
		t.len = p->text.len;
	return text_equal(p->text, t);
}

static int
order(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;
	int by_text = text_compare(x->text, y->text);

	/* A prefix stands before the same text without '*': it covers it. */
	return by_text != 0 ? by_text : y->is_prefix - x->is_prefix;
}

/*
 * Sort, and drop what an earlier pattern covers.  All that a prefix covers
 * follows it directly in the order, so comparing with the last pattern kept is
 * enough: an exact one covers its repeats, a prefix all that begins with it.
 *   returns  how many are kept
 */
static size_t
normalise(struct pattern *p, size_t n)
{
	size_t kept = 0;

	qsort(p, n, sizeof *p, order);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !matches(&p[kept - 1], p[i].text))
			p[kept++] = p[i];
	return kept;
}

/* Append texts to the key and let them point there from now on. */
static void
move_to_key(struct filter *f, char *key, struct pattern *p, size_t n,
    char exact)
{
	for (size_t i = 0; i < n; i++) {
		struct text *t = &p[i].text;
		char *to = key + f->key.len;

		*to = p[i].is_prefix ? '*' : exact;
		memcpy(to + 1, &t->len, sizeof t->len);
		to += KEY_HEAD_BYTES;
		if (t->len > 0)
			memcpy(to, t->bytes, t->len);
		t->bytes = to;
		f->key.len += KEY_HEAD_BYTES + t->len;
	}
}

bool
filter_is_name(struct text t)
{
	return t.len <= EVENT_NAME_MAX &&
	    (t.len == 0 ||
		(memchr(t.bytes, '\n', t.len) == NULL &&
		    memchr(t.bytes, '\r', t.len) == NULL &&
		    memchr(t.bytes, '\0', t.len) == NULL));
}

int
filter_read_pattern(struct text value, struct pattern *pattern)
{
	bool is_prefix = value.len > 0 && value.bytes[value.len - 1] == '*';

	value.len -= is_prefix ? 1 : 0;
	if (!filter_is_name(value))
		return -1;
	*pattern = (struct pattern){ value, is_prefix };
	return 0;
}

struct filter *
filter_new(const struct pattern *patterns, size_t n_patterns,
    const struct text *names, size_t n_names)
{
	static const struct pattern every = { { "", 0 }, true };
	size_t room;
	struct filter *f;
	char *key;

	if (n_patterns == 0) {
		patterns = &every;
		n_patterns = 1;
	}
	room = (n_patterns + n_names) * (sizeof *patterns + KEY_HEAD_BYTES);
	for (size_t i = 0; i < n_patterns; i++)
		room += patterns[i].text.len;
	for (size_t i = 0; i < n_names; i++)
		room += names[i].len;
	f = malloc(sizeof *f + room);
	if (f == NULL)
		return NULL;
	f->names = f->patterns + n_patterns;
	key = (char *)(f->names + n_names);
	memcpy(f->patterns, patterns, n_patterns * sizeof *patterns);
	for (size_t i = 0; i < n_names; i++)
		f->names[i] = (struct pattern){ names[i], false };

	f->n_patterns = normalise(f->patterns, n_patterns);
	f->n_names = normalise(f->names, n_names);
	f->key = (struct text){ key, 0 };
	move_to_key(f, key, f->patterns, f->n_patterns, '=');
	move_to_key(f, key, f->names, f->n_names, 'n');
	f->is_exact = true;
	for (size_t i = 0; i < f->n_patterns; i++)
		f->is_exact = f->is_exact && !f->patterns[i].is_prefix;
	return f;
}

void
filter_free(struct filter *f)
{
	free(f);
}

struct text
filter_key(const struct filter *f)
{
	return f->key;
}

const struct pattern *
filter_patterns(const struct filter *f, size_t *n)
{
	*n = f->n_patterns;
	return f->patterns;
}

bool
filter_is_all(const struct filter *f)
{
	/* An empty prefix covers all others, so it stands alone. */
	return f->n_names == 0 && f->patterns[0].is_prefix &&
	    f->patterns[0].text.len == 0;
}

bool
filter_is_exact(const struct filter *f)
{
	return f->is_exact;
}

/* Only the last pattern that is not after the text can match: see above. */
static bool
has_match(const struct pattern *p, size_t n, struct text t)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (text_compare(p[middle].text, t) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && matches(&p[low - 1], t);
}

bool
filter_has_topic(const struct filter *f, struct text topic)
{
	return has_match(f->patterns, f->n_patterns, topic);
}

bool
filter_has_name(const struct filter *f, struct text name)
{
	return f->n_names == 0 || has_match(f->names, f->n_names, name);
}
