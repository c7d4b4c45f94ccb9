/*
 * A run of encoded events.
 *
 * The encodings lie end to end in one block that is never reallocated.  The
 * index of them lies in other blocks and may move.
 */
#include "chunk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sse.h"

struct chunk *
chunk_new(int64_t after, size_t len)
{
	size_t capacity = len > CHUNK_BYTES ? len : CHUNK_BYTES;
	struct chunk *c;

	if (capacity > SIZE_MAX - sizeof(*c))
		return NULL;
	c = malloc(sizeof(*c) + capacity);
	if (c == NULL)
		return NULL;
	*c = (struct chunk){ .after = after,
		.upto = after,
		.capacity = capacity };
	return c;
}

void
chunk_free(struct chunk *c)
{
	if (c == NULL)
		return;
	free(c->entries);
	free(c->names);
	free(c);
}

bool
chunk_fits(const struct chunk *c, size_t len)
{
	return len <= c->capacity - c->len;
}

/* Make room for one more entry and its names. */
static int
reserve(struct chunk *c, size_t names_len)
{
	size_t capacity;
	void *p;

	if (c->n == c->entries_capacity) {
		capacity = c->n > 0 ? c->n * 2 : 16;
		p = realloc(c->entries, capacity * sizeof(*c->entries));
		if (p == NULL)
			return -1;
		c->entries = p;
		c->entries_capacity = capacity;
	}
	if (c->names == NULL || c->names_len + names_len > c->names_capacity) {
		capacity = 2 * (c->names_len + names_len) + 128;
		p = realloc(c->names, capacity);
		if (p == NULL)
			return -1;
		c->names = p;
		c->names_capacity = capacity;
	}
	return 0;
}

static void
add_name(struct chunk *c, struct text t)
{
	if (t.len > 0)
		memcpy(c->names + c->names_len, t.bytes, t.len);
	c->names_len += t.len;
}

/* Add an entry for an event of len bytes, which the caller writes. */
static int
add_entry(struct chunk *c, const struct event *e, size_t len)
{
	struct chunk_entry *entry;

	assert(chunk_fits(c, len) && e->id > c->upto);
	if (e->topic.len > UINT32_MAX || e->name.len > UINT32_MAX ||
	    reserve(c, e->topic.len + e->name.len) != 0)
		return -1;
	entry = &c->entries[c->n++];
	*entry = (struct chunk_entry){
		.id = e->id,
		.at = c->len,
		.len = len,
		.names_at = c->names_len,
		.topic_len = (uint32_t)e->topic.len,
		.name_len = (uint32_t)e->name.len,
	};
	add_name(c, e->topic);
	add_name(c, e->name);
	c->len += len;
	c->upto = e->id;
	return 0;
}

int
chunk_add(struct chunk *c, const struct event *e, size_t len)
{
	if (add_entry(c, e, len) != 0)
		return -1;
	(void)sse_encode(e, c->bytes + c->len - len); /* writes len bytes */
	return 0;
}

struct chunk *
chunk_new_part(int64_t after, const struct event *e, size_t from, size_t len)
{
	struct chunk *c = chunk_new(after, len);

	if (c == NULL || add_entry(c, e, len) != 0) {
		chunk_free(c);
		return NULL;
	}
	c->huge_len = e->huge_len;
	c->huge_from = from;
	c->retry_ms = e->retry_ms;
	return c;
}

bool
chunk_has_part(const struct chunk *c, size_t offset)
{
	size_t end = c->huge_from + c->len;

	return c->huge_from <= offset && offset < end &&
	    (end - offset >= 2 || end == c->huge_len);
}

void
chunk_cut(struct chunk *c, int64_t last)
{
	size_t i = chunk_find(c, last);

	if (i < c->n) {
		c->len = c->entries[i].at;
		c->names_len = c->entries[i].names_at;
		c->n = i;
	}
	c->upto = last;
}

size_t
chunk_find(const struct chunk *c, int64_t cursor)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->entries[middle].id > cursor)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct text
chunk_topic(const struct chunk *c, size_t i)
{
	const struct chunk_entry *e = &c->entries[i];

	return (struct text){ c->names + e->names_at, e->topic_len };
}

struct text
chunk_name(const struct chunk *c, size_t i)
{
	const struct chunk_entry *e = &c->entries[i];

	return (
	    struct text){ c->names + e->names_at + e->topic_len, e->name_len };
}

size_t
chunk_size(const struct chunk *c)
{
	return sizeof(*c) + c->capacity + c->names_capacity +
	    c->entries_capacity * sizeof(*c->entries);
}
