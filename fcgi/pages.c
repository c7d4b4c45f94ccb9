/*
 * Older parts of the log.  There are few of them, so they are searched one by
 * one.
 */
#include "pages.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 64

/* A page of the log, and the key of its filter. */
struct page {
	struct chunk *chunk;
	char *key;
	size_t key_len;
	uint64_t used; /* number of its last look-up */
};

struct pages {
	struct page pages[PAGES_MAX];
	size_t n;
	size_t size;
	size_t capacity;
	uint64_t lookups;
};

static void
drop_page(struct pages *ps, size_t i)
{
	struct page *p = &ps->pages[i];

	ps->size -= chunk_size(p->chunk);
	chunk_free(p->chunk);
	free(p->key);
	ps->pages[i] = ps->pages[--ps->n];
}

void
pages_forget(struct pages *ps, int64_t upto)
{
	for (size_t i = ps->n; i-- > 0;)
		if (ps->pages[i].chunk->after < upto)
			drop_page(ps, i);
}

struct pages *
pages_new(size_t capacity)
{
	struct pages *ps = calloc(1, sizeof(*ps));

	if (ps != NULL)
		ps->capacity = capacity;
	return ps;
}

void
pages_free(struct pages *ps)
{
	if (ps == NULL)
		return;
	pages_forget(ps, INT64_MAX);
	free(ps);
}

static bool
is_page_for(const struct page *p, struct text key, int64_t cursor, size_t part)
{
	const struct chunk *c = p->chunk;

	return c->after <= cursor && cursor < c->upto &&
	    (c->huge_len == 0 || chunk_has_part(c, part)) &&
	    text_equal((struct text){ p->key, p->key_len }, key);
}

const struct chunk *
pages_find(struct pages *ps, struct text key, int64_t cursor, size_t part)
{
	ps->lookups++;
	for (size_t i = 0; i < ps->n; i++) {
		if (!is_page_for(&ps->pages[i], key, cursor, part))
			continue;
		ps->pages[i].used = ps->lookups;
		return ps->pages[i].chunk;
	}
	return NULL;
}

static void
drop_least_used(struct pages *ps)
{
	size_t least = 0;

	for (size_t i = 1; i < ps->n; i++)
		if (ps->pages[i].used < ps->pages[least].used)
			least = i;
	drop_page(ps, least);
}

const struct chunk *
pages_keep(struct pages *ps, struct text key, struct chunk *c)
{
	struct page p = { .chunk = c, .used = ps->lookups };

	if (key.len > 0) {
		p.key = malloc(key.len);
		if (p.key == NULL) {
			chunk_free(c);
			return NULL;
		}
		memcpy(p.key, key.bytes, key.len);
		p.key_len = key.len;
	}
	while (ps->n == PAGES_MAX ||
	    (ps->n > 0 && ps->size + chunk_size(c) > ps->capacity))
		drop_least_used(ps);
	ps->size += chunk_size(c);
	ps->pages[ps->n++] = p;
	return c;
}
