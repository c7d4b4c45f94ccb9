/*
 * A radix tree.  The way from the root to a node spells the first bytes of all
 * keys at and below that node.  A node does not store these bytes: it points to
 * one of those keys.
 *
 * Invariants: a node has a value or at least two children.  A node with a value
 * points to its own key.
 */
#include "radix.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct radix_node {
	const char *key; /* of this node, or of one below it */
	size_t end;      /* the way to this node spells key[0..end) */
	void *value;     /* NULL if the node only branches */
	struct radix_node **children;
	uint16_t n; /* at most one child for each value of a byte */
	uint16_t capacity;
};

/* The byte key[end] of each child; these bytes lie behind the pointers, so
   that a search reads no child but the right one. */
static uint8_t *
branches(const struct radix_node *n)
{
	return (uint8_t *)(n->children + n->capacity);
}

/* Returns where the child for a byte hangs; NULL if there is none. */
static struct radix_node **
find_child(const struct radix_node *n, char byte)
{
	const uint8_t *at;

	if (n->n == 0)
		return NULL;
	at = memchr(branches(n), (uint8_t)byte, n->n);
	return at != NULL ? &n->children[at - branches(n)] : NULL;
}

/* Compare a key with the bytes of a node, from a position that is known to be
   equal.  Returns the position of the first difference or of the end. */
static size_t
compare(const struct radix_node *n, struct text key, size_t at)
{
	while (at < n->end && at < key.len && n->key[at] == key.bytes[at])
		at++;
	return at;
}

/* ---- looking up ---- */

/* Returns the next node on the way of a key, or the first if n is NULL; NULL
   if no further node fits. */
static const struct radix_node *
next(const struct radix *r, const struct radix_node *n, struct text key)
{
	size_t at = n != NULL ? n->end : 0;
	struct radix_node *const *child = &r->root;

	if (n != NULL)
		child = at < key.len ? find_child(n, key.bytes[at]) : NULL;
	if (child == NULL || *child == NULL)
		return NULL;
	return compare(*child, key, at) == (*child)->end ? *child : NULL;
}

void *
radix_find(const struct radix *r, struct text key)
{
	const struct radix_node *n = NULL;

	while ((n = next(r, n, key)) != NULL)
		if (n->end == key.len)
			return n->value;
	return NULL;
}

void
radix_visit_prefixes(const struct radix *r, struct text text,
    radix_visit_fn *visit, void *cookie)
{
	const struct radix_node *n = NULL;

	while ((n = next(r, n, text)) != NULL)
		if (n->value != NULL)
			visit(cookie, n->value);
}

/* ---- nodes ---- */

static struct radix_node *
node_new(const char *key, size_t end, void *value)
{
	struct radix_node *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->key = key;
	n->end = end;
	n->value = value;
	return n;
}

static void
node_free(struct radix_node *n)
{
	free(n->children);
	free(n);
}

static int
resize(struct radix_node *n, size_t capacity)
{
	struct radix_node **children = malloc(capacity * (sizeof(void *) + 1));

	if (children == NULL)
		return -1;
	if (n->n > 0) {
		memcpy(children, n->children, n->n * sizeof(void *));
		memcpy(children + capacity, branches(n), n->n);
	}
	free(n->children);
	n->children = children;
	n->capacity = (uint16_t)capacity;
	return 0;
}

static int
add_child(struct radix_node *n, struct radix_node *child)
{
	if (n->n == n->capacity &&
	    resize(n, n->capacity > 0 ? n->capacity * 2U : 2) != 0)
		return -1;
	branches(n)[n->n] = (uint8_t)child->key[n->end];
	n->children[n->n++] = child;
	return 0;
}

static void
drop_child(struct radix_node *n, struct radix_node **child)
{
	size_t i = (size_t)(child - n->children), last = --n->n;

	n->children[i] = n->children[last];
	branches(n)[i] = branches(n)[last];
	/* if memory is short for less room, the room stays */
	if (n->n > 0 && n->n <= n->capacity / 4)
		(void)resize(n, n->capacity / 2U);
}

/* Remove a node that has neither a value nor two children: its child takes its
   place, or none. */
static void
tidy(struct radix_node **place)
{
	struct radix_node *n = *place;

	if (n->value != NULL || n->n > 1)
		return;
	*place = n->n == 1 ? n->children[0] : NULL;
	node_free(n);
}

/* ---- changing ---- */

/* Put a node in front of another, where the first end bytes end. */
static int
split(struct radix_node **place, size_t end)
{
	struct radix_node *n = node_new((*place)->key, end, NULL);

	if (n == NULL)
		return -1;
	if (add_child(n, *place) != 0) {
		node_free(n);
		return -1;
	}
	*place = n;
	return 0;
}

static int
add_leaf(struct radix_node *n, struct text key, void *value)
{
	struct radix_node *leaf = node_new(key.bytes, key.len, value);

	if (leaf == NULL)
		return -1;
	if (add_child(n, leaf) != 0) {
		node_free(leaf);
		return -1;
	}
	return 0;
}

int
radix_add(struct radix *r, struct text key, void *value)
{
	struct radix_node **place = &r->root, **child = place;
	size_t at = 0;

	if (r->root == NULL) {
		r->root = node_new(key.bytes, key.len, value);
		return r->root != NULL ? 0 : -1;
	}
	while (child != NULL) {
		place = child;
		at = compare(*place, key, at);
		child = at == (*place)->end && at < key.len ?
		    find_child(*place, key.bytes[at]) :
		    NULL;
	}
	if (at < (*place)->end && split(place, at) != 0)
		return -1;
	if (at == key.len) {
		(*place)->key = key.bytes;
		(*place)->value = value;
		return 0;
	}
	if (add_leaf(*place, key, value) == 0)
		return 0;
	tidy(place); /* it may have been split */
	return -1;
}

/* Let the nodes on the way of a key that is to go point to another key. */
static void
forget_key(struct radix_node *n, struct text key, const char *other)
{
	struct radix_node **child = &n;

	while (child != NULL) {
		n = *child;
		if (n->key == key.bytes)
			n->key = other;
		child =
		    n->end < key.len ? find_child(n, key.bytes[n->end]) : NULL;
	}
}

void
radix_remove(struct radix *r, struct text key)
{
	struct radix_node **place = &r->root, **parent = NULL, *n;

	assert(*place != NULL);
	while ((*place)->end < key.len) {
		parent = place;
		place = find_child(*place, key.bytes[(*place)->end]);
		assert(place != NULL && *place != NULL);
	}
	(*place)->value = NULL;
	tidy(place);
	if (*place == NULL && parent != NULL) {
		drop_child(*parent, place);
		tidy(parent);
		place = parent;
	}
	n = *place;
	if (n != NULL)
		forget_key(r->root, key,
		    n->value != NULL ? n->key : n->children[0]->key);
}
