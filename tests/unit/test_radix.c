/*
 * radix: random keys, compared with a list of them.
 *
 * Keys are short and of few letters, NUL among them, so that they often share
 * a beginning; each is a block of its own, so that a sanitizer sees a key that
 * is used after its removal.  Some allocations of the map fail.
 */
#include <stdbool.h>
#include <stdlib.h>

static size_t fails_at; /* an allocation, from 1; 0: none fails */

static bool
fails(void)
{
	return fails_at > 0 && --fails_at == 0;
}

#define malloc(len) (fails() ? NULL : malloc(len))
#define calloc(n, len) (fails() ? NULL : calloc(n, len))
/* NOLINTNEXTLINE(bugprone-suspicious-include): for its allocations */
#include "fcgi/radix.c"
#undef malloc
#undef calloc

#include "tap.h"

#define KEYS_MAX 64
#define LEN_MAX 6

static const char letters[] = "ab\0\xff";

struct model {
	struct radix map;
	struct text keys[KEYS_MAX];
	size_t n;
	size_t n_failed; /* keys that were not added: out of memory */
};

static size_t
model_find(const struct model *m, struct text key)
{
	size_t i = 0;

	while (i < m->n && !text_equal(m->keys[i], key))
		i++;
	return i;
}

static struct text
random_key(size_t max)
{
	return tap_random_text(letters, 4, max);
}

/* The value of a key is a copy of it. */
static bool
is_found(const struct model *m, struct text key)
{
	const struct text *value = radix_find(&m->map, key);
	size_t i = model_find(m, key);

	return i == m->n ? value == NULL :
			   value != NULL && value->bytes == m->keys[i].bytes;
}

static bool
add_random(struct model *m)
{
	struct text key = random_key(LEN_MAX), *value;
	bool is_good;

	if (m->n == KEYS_MAX || model_find(m, key) < m->n) {
		tap_free_text(key);
		return true;
	}
	value = malloc(sizeof(*value));
	if (value == NULL)
		abort();
	*value = key;
	fails_at = tap_random(8);
	if (radix_add(&m->map, key, value) == 0) {
		m->keys[m->n++] = key;
		fails_at = 0;
		return is_found(m, key);
	}
	is_good = fails_at == 0 && is_found(m, key);
	m->n_failed++;
	free(value);
	tap_free_text(key);
	return is_good;
}

static bool
remove_at(struct model *m, size_t i)
{
	struct text key = m->keys[i];

	free(radix_find(&m->map, key));
	fails_at = tap_random(2);
	radix_remove(&m->map, key);
	fails_at = 0;
	m->keys[i] = m->keys[--m->n];
	if (!is_found(m, key))
		return false;
	tap_free_text(key);
	return true;
}

/* The lengths of the keys that were visited. */
struct visits {
	struct text text;
	size_t n;
	size_t last_len;
	bool is_good;
};

static void
on_prefix(void *cookie, void *value)
{
	const struct text *key = value;
	struct visits *v = cookie;

	v->is_good = v->is_good && key->len <= v->text.len &&
	    text_equal(*key, (struct text){ v->text.bytes, key->len }) &&
	    (v->n == 0 || key->len > v->last_len);
	v->last_len = key->len;
	v->n++;
}

static bool
look_up_random(const struct model *m)
{
	struct text text = random_key(LEN_MAX + 2);
	struct visits v = { .text = text, .is_good = true };
	size_t expected = 0;
	bool is_good = is_found(m, text);

	for (size_t i = 0; i < m->n; i++)
		expected += m->keys[i].len <= text.len &&
		    text_equal(m->keys[i],
			(struct text){ text.bytes, m->keys[i].len });
	radix_visit_prefixes(&m->map, text, on_prefix, &v);
	tap_free_text(text);
	return is_good && v.is_good && v.n == expected;
}

/* Half of the time the map grows, then it shrinks until it is empty. */
static bool
run_model(size_t *n_failed)
{
	struct model m = { .n = 0 };
	bool is_good = true;

	for (size_t i = 0; i < 400 && is_good; i++) {
		bool grows = i < 200 ? tap_random(3) > 0 : tap_random(3) == 0;

		if (grows)
			is_good = add_random(&m);
		else if (m.n > 0)
			is_good = remove_at(&m, tap_random(m.n));
		is_good = is_good && look_up_random(&m);
	}
	*n_failed += m.n_failed;
	while (m.n > 0 && is_good)
		is_good = remove_at(&m, tap_random(m.n));
	return is_good && m.map.root == NULL;
}

static bool
run_models(size_t *n_failed)
{
	for (int i = 0; i < 500; i++)
		if (!run_model(n_failed))
			return false;
	return true;
}

/* One node with a child for each value of a byte. */
static bool
run_wide(void)
{
	static char bytes[256];
	struct radix map = { 0 };
	bool is_good = true;

	for (size_t i = 0; i < 256; i++) {
		bytes[i] = (char)i;
		if (radix_add(&map, (struct text){ bytes + i, 1 }, bytes + i) !=
		    0)
			abort();
	}
	for (size_t i = 0; i < 256; i++)
		is_good = is_good &&
		    radix_find(&map, (struct text){ bytes + i, 1 }) ==
			bytes + i;
	for (size_t i = 0; i < 256; i++)
		radix_remove(&map, (struct text){ bytes + i, 1 });
	return is_good && map.root == NULL;
}

int
main(void)
{
	size_t n_failed = 0;

	tap_seed();
	check(run_models(&n_failed),
	    "random keys: found and visited as in a list of keys, and removed"
	    " without a trace");
	check(n_failed > 500, "of which enough ran out of memory");
	check(run_wide(), "a node can have a child for each value of a byte");
	return tap_end();
}
