/*
 * Which topics and event names a client asks for.
 * One block holds it all: the struct, the patterns, the names, and the key,
 * in which the texts themselves lie.
 * Invariant: patterns are sorted by bytes and none is covered by another.  So
 * at most one can match a topic, and it is the last that is not after it.
 */
#include "filter.h"

#include <stdlib.h>
#include <string.h>

struct filter {
	struct text key;
	struct text *names; /* behind the patterns; the key behind them */
	size_t n_names;     /* 0: every name */
	size_t n_patterns;  /* >= 1 */
	bool is_exact;
	struct pattern patterns[];
};

_Static_assert(_Alignof(struct text) <= _Alignof(struct pattern),
    "names can stand directly behind patterns");

/* Before each text in the key: one byte for its kind, and its length. */
#define KEY_HEAD_BYTES (1 + sizeof(size_t))

static bool
matches(const struct pattern *p, struct text topic)
{
	if (p->is_prefix && topic.len > p->text.len)
		topic.len = p->text.len;
	return text_equal(p->text, topic);
}

static int
order_names(const void *a, const void *b)
{
	return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static int
order_patterns(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;
	int order = text_compare(x->text, y->text);

	/* A prefix stands before the same text without '*': it covers it. */
	return order != 0 ? order : y->is_prefix - x->is_prefix;
}

/*
 * Drop each pattern that an earlier one covers.  The patterns that a prefix
 * covers follow it directly in the order, so only the last pattern kept needs
 * to be compared: an exact one covers its repeats, a prefix its continuations.
 */
static void
normalise_patterns(struct filter *f)
{
	size_t kept = 0;

	qsort(f->patterns, f->n_patterns, sizeof *f->patterns, order_patterns);
	for (size_t i = 0; i < f->n_patterns; i++)
		if (kept == 0 ||
		    !matches(&f->patterns[kept - 1], f->patterns[i].text))
			f->patterns[kept++] = f->patterns[i];
	f->n_patterns = kept;
}

static void
normalise_names(struct filter *f)
{
	size_t kept = 0;

	qsort(f->names, f->n_names, sizeof *f->names, order_names);
	for (size_t i = 0; i < f->n_names; i++)
		if (kept == 0 || !text_equal(f->names[kept - 1], f->names[i]))
			f->names[kept++] = f->names[i];
	f->n_names = kept;
}

/* Append one text to the key and let it point there from now on. */
static void
move_to_key(char *key, size_t *len, char kind, struct text *t)
{
	key[*len] = kind;
	memcpy(key + *len + 1, &t->len, sizeof t->len);
	*len += KEY_HEAD_BYTES;
	if (t->len > 0)
		memcpy(key + *len, t->bytes, t->len);
	t->bytes = key + *len;
	*len += t->len;
}

static void
build_key(struct filter *f, char *key)
{
	size_t len = 0;

	for (size_t i = 0; i < f->n_patterns; i++)
		move_to_key(key, &len, f->patterns[i].is_prefix ? '*' : '=',
		    &f->patterns[i].text);
	for (size_t i = 0; i < f->n_names; i++)
		move_to_key(key, &len, 'n', &f->names[i]);
	f->key.bytes = key;
	f->key.len = len;
}

/* Room for the key of patterns and names, before anything is dropped. */
static size_t
key_room(const struct pattern *patterns, size_t n_patterns,
    const struct text *names, size_t n_names)
{
	size_t room = (n_patterns + n_names) * KEY_HEAD_BYTES;

	for (size_t i = 0; i < n_patterns; i++)
		room += patterns[i].text.len;
	for (size_t i = 0; i < n_names; i++)
		room += names[i].len;
	return room;
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
	struct filter *f;
	char *key;

	if (n_patterns == 0) {
		patterns = &every;
		n_patterns = 1;
	}
	f = malloc(sizeof *f + n_patterns * sizeof *patterns +
	    n_names * sizeof *names +
	    key_room(patterns, n_patterns, names, n_names));
	if (f == NULL)
		return NULL;
	f->n_patterns = n_patterns;
	f->n_names = n_names;
	f->names = (struct text *)(f->patterns + n_patterns);
	key = (char *)(f->names + n_names);
	memcpy(f->patterns, patterns, n_patterns * sizeof *patterns);
	if (n_names > 0)
		memcpy(f->names, names, n_names * sizeof *names);

	normalise_patterns(f);
	normalise_names(f);
	build_key(f, key);
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

static bool
is_every_topic(const struct filter *f)
{
	/* An empty prefix covers all others, so it stands alone. */
	return f->patterns[0].is_prefix && f->patterns[0].text.len == 0;
}

bool
filter_is_all(const struct filter *f)
{
	return is_every_topic(f) && f->n_names == 0;
}

bool
filter_is_exact(const struct filter *f)
{
	return f->is_exact;
}

bool
filter_has_topic(const struct filter *f, struct text topic)
{
	size_t low = 0, high = f->n_patterns;

	/* Find the last pattern that is not after the topic: see above. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (text_compare(f->patterns[middle].text, topic) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && matches(&f->patterns[low - 1], topic);
}

bool
filter_has_name(const struct filter *f, struct text name)
{
	if (f->n_names == 0)
		return true;
	for (size_t i = 0; i < f->n_names; i++)
		if (text_equal(f->names[i], name))
			return true;
	return false;
}
