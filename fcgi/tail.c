/*
 * The newest part of the log in memory: a row of chunks without holes, each
 * beginning where the one before it ends.  Nothing wraps around and no bytes
 * move: the oldest chunk is dropped, a new one is added.
 */
#include "tail.h"

#include <stdlib.h>
#include <string.h>

struct tail {
	struct chunk **chunks; /* oldest first, never empty */
	size_t n;
	size_t chunks_capacity;
	size_t capacity;
	size_t size; /* of all chunks but the newest */
};

/* Add a chunk at the end. */
static int
push(struct tail *t, int64_t after, size_t len)
{
	struct chunk *c;

	if (t->n == t->chunks_capacity) {
		size_t capacity = t->n > 0 ? t->n * 2 : 8;
		void *p = realloc(t->chunks, capacity * sizeof(struct chunk *));

		if (p == NULL)
			return -1;
		t->chunks = p;
		t->chunks_capacity = capacity;
	}
	c = chunk_new(after, len);
	if (c == NULL)
		return -1;
	if (t->n > 0)
		t->size += chunk_size(t->chunks[t->n - 1]);
	t->chunks[t->n++] = c;
	return 0;
}

static void
drop(struct tail *t, size_t i)
{
	t->size -= chunk_size(t->chunks[i]);
	chunk_free(t->chunks[i]);
}

/* Remove the first n chunks, which have been dropped, from the list. */
static void
shift_front(struct tail *t, size_t n)
{
	t->n -= n;
	memmove(t->chunks, t->chunks + n, t->n * sizeof(struct chunk *));
}

static void
drop_oldest(struct tail *t)
{
	const struct chunk *c = t->n > 1 ? t->chunks[t->n - 2] : NULL;
	size_t n = 0, keep = 1;

	/* Events of the current step may lie in the chunk before the newest,
	   and are sent from there.  A large event is a step of its own. */
	if (c != NULL && (c->n != 1 || c->len <= CHUNK_BYTES))
		keep = 2;
	while (n + keep < t->n && t->size > t->capacity)
		drop(t, n++);
	shift_front(t, n);
}

struct tail *
tail_new(size_t capacity, int64_t head)
{
	struct tail *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->capacity = capacity;
	if (push(t, head, 0) != 0) {
		tail_free(t);
		return NULL;
	}
	return t;
}

void
tail_free(struct tail *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		chunk_free(t->chunks[i]);
	free(t->chunks);
	free(t);
}

static struct chunk *
newest(const struct tail *t)
{
	return t->chunks[t->n - 1];
}

int64_t
tail_head(const struct tail *t)
{
	return newest(t)->upto;
}

int64_t
tail_start(const struct tail *t)
{
	return t->chunks[0]->after;
}

const struct chunk *
tail_add(struct tail *t, const struct event *e, size_t len)
{
	if (!chunk_fits(newest(t), len)) {
		if (push(t, tail_head(t), len) != 0)
			return NULL;
		drop_oldest(t);
	}
	return chunk_add(newest(t), e, len) == 0 ? newest(t) : NULL;
}

void
tail_reach(struct tail *t, int64_t head)
{
	if (head > newest(t)->upto)
		newest(t)->upto = head;
}

void
tail_cut(struct tail *t, int64_t head)
{
	if (head < tail_start(t)) {
		tail_clear(t, head);
		return;
	}
	while (t->n > 1 && newest(t)->after >= head) {
		chunk_free(newest(t));
		t->n--;
		t->size -= chunk_size(newest(t));
	}
	chunk_cut(newest(t), head);
}

void
tail_forget(struct tail *t, int64_t upto)
{
	size_t n = 0;

	while (n + 1 < t->n && t->chunks[n]->after < upto)
		drop(t, n++);
	shift_front(t, n);
	if (tail_start(t) < upto)
		tail_clear(t, tail_head(t));
}

void
tail_clear(struct tail *t, int64_t head)
{
	while (t->n > 1)
		chunk_free(t->chunks[--t->n]);
	t->size = 0;
	chunk_cut(newest(t), -1);
	newest(t)->after = newest(t)->upto = head;
}

const struct chunk *
tail_find(const struct tail *t, int64_t cursor)
{
	size_t low = 0, high = t->n;

	if (cursor < tail_start(t) || cursor >= tail_head(t))
		return NULL;
	while (high - low > 1) { /* chunks[low]->after <= cursor */
		size_t middle = low + (high - low) / 2;

		if (t->chunks[middle]->after <= cursor)
			low = middle;
		else
			high = middle;
	}
	return t->chunks[low];
}
