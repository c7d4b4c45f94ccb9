/*
 * Feeds: the streams with one filter each.
 *
 * An event finds its feeds by look-up: one for its whole topic, and one for
 * each length of prefix in use.  So the cost of an event grows with the feeds
 * it matches, not with the feeds there are.
 */
#include "feed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* If out of memory, leave an element out of the table instead of exiting. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A pattern and the subscriptions to it. */
struct topic {
	UT_hash_handle hh;
	struct subscription **subscriptions;
	size_t n;
	size_t capacity;
	size_t key_len;
	char key[]; /* 'p' for a prefix or 'e' for exact, then the text */
};

/* One pattern of one feed: its topic, and its place in the list there. */
struct subscription {
	struct feed_entry *entry;
	struct topic *topic;
	size_t place;
};

/* A feed and its places in the tables. */
struct feed_entry {
	struct feed feed;
	UT_hash_handle hh;
	size_t users;
	size_t n_subscriptions;
	struct subscription subscriptions[];
};

struct feeds {
	struct feed_entry *by_filter;
	struct topic *by_pattern;
	struct feed *dirty;
	size_t prefixes[EVENT_NAME_MAX + 1]; /* by length: how many topics */
};

/* The key under which a pattern is stored; returns its length. */
static size_t
pattern_key(char key[EVENT_NAME_MAX + 1], bool is_prefix, struct text t)
{
	key[0] = is_prefix ? 'p' : 'e';
	if (t.len > 0)
		memcpy(key + 1, t.bytes, t.len);
	return t.len + 1;
}

/* Make room for one more element of size bytes in a list of n.  Returns the
   list, which may have moved; NULL if out of memory. */
static void *
grow(void *list, size_t n, size_t *capacity, size_t size)
{
	size_t more = n > 0 ? n * 2 : 1;

	if (n < *capacity)
		return list;
	list = realloc(list, more * size);
	if (list != NULL)
		*capacity = more;
	return list;
}

struct feeds *
feeds_new(void)
{
	return calloc(1, sizeof(struct feeds));
}

void
feeds_free(struct feeds *fs)
{
	if (fs == NULL)
		return;
	assert(fs->by_filter == NULL && fs->by_pattern == NULL);
	free(fs);
}

size_t
feeds_count(const struct feeds *fs)
{
	return HASH_COUNT(fs->by_filter);
}

/* ---- topics ---- */

static struct topic *
topic_find(const struct feeds *fs, const char *key, size_t len)
{
	struct topic *t;

	HASH_FIND(hh, fs->by_pattern, key, len, t);
	return t;
}

static struct topic *
topic_new(struct feeds *fs, const char *key, size_t len)
{
	struct topic *t = calloc(1, sizeof(*t) + len);

	if (t == NULL)
		return NULL;
	t->key_len = len;
	memcpy(t->key, key, len);
	HASH_ADD_KEYPTR(hh, fs->by_pattern, t->key, len, t);
	if (t->hh.tbl == NULL) { /* out of memory */
		free(t);
		return NULL;
	}
	if (key[0] == 'p')
		fs->prefixes[len - 1]++;
	return t;
}

static void
topic_free(struct feeds *fs, struct topic *t)
{
	if (t->key[0] == 'p')
		fs->prefixes[t->key_len - 1]--;
	/* It has a table.
	   NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	HASH_DEL(fs->by_pattern, t);
	free(t->subscriptions);
	free(t);
}

static int
subscribe(struct feeds *fs, struct subscription *s, const struct pattern *p)
{
	char key[EVENT_NAME_MAX + 1];
	size_t len = pattern_key(key, p->is_prefix, p->text);
	struct topic *t = topic_find(fs, key, len);
	void *list;

	if (t == NULL && (t = topic_new(fs, key, len)) == NULL)
		return -1;
	list = grow(t->subscriptions, t->n, &t->capacity, sizeof(void *));
	if (list == NULL) {
		if (t->n == 0)
			topic_free(fs, t);
		return -1;
	}
	t->subscriptions = list;
	s->topic = t;
	s->place = t->n;
	t->subscriptions[t->n++] = s;
	return 0;
}

static void
unsubscribe(struct feeds *fs, struct subscription *s)
{
	struct topic *t = s->topic;
	struct subscription *last = t->subscriptions[--t->n];

	t->subscriptions[s->place] = last;
	last->place = s->place;
	if (t->n == 0)
		topic_free(fs, t);
}

/* ---- one feed ---- */

static void
entry_free(struct feeds *fs, struct feed_entry *e)
{
	for (size_t i = 0; i < e->n_subscriptions; i++)
		unsubscribe(fs, &e->subscriptions[i]);
	free(e->feed.live);
	free(e->feed.pieces);
	free(e);
}

static struct feed_entry *
entry_new(struct feeds *fs, struct filter *filter)
{
	const struct pattern *patterns;
	struct feed_entry *e;
	struct text key;
	size_t n;

	patterns = filter_patterns(filter, &n);
	e = calloc(1, sizeof(*e) + n * sizeof(e->subscriptions[0]));
	if (e == NULL)
		return NULL;
	e->feed.filter = filter;
	e->feed.entry = e;
	for (size_t i = 0; i < n; i++) {
		e->subscriptions[i].entry = e;
		if (subscribe(fs, &e->subscriptions[i], &patterns[i]) != 0) {
			entry_free(fs, e);
			return NULL;
		}
		e->n_subscriptions++;
	}
	key = filter_key(filter);
	HASH_ADD_KEYPTR(hh, fs->by_filter, key.bytes, key.len, e);
	if (e->hh.tbl == NULL) { /* out of memory */
		entry_free(fs, e);
		return NULL;
	}
	return e;
}

struct feed *
feed_take(struct feeds *fs, struct filter *filter)
{
	struct text key = filter_key(filter);
	struct feed_entry *e;

	HASH_FIND(hh, fs->by_filter, key.bytes, key.len, e);
	if (e != NULL)
		filter_free(filter);
	else if ((e = entry_new(fs, filter)) == NULL)
		return NULL;
	e->users++;
	return &e->feed;
}

void
feed_hold(struct feed *f)
{
	f->entry->users++;
}

/* Remove a dirty feed from the list, because it is to be freed. */
static void
undirty(struct feeds *fs, struct feed *f)
{
	struct feed **p = &fs->dirty;

	while (*p != f)
		p = &(*p)->next_dirty;
	*p = f->next_dirty;
}

void
feed_release(struct feeds *fs, struct feed *f)
{
	struct feed_entry *e = f->entry;

	if (--e->users > 0)
		return;
	assert(f->n_live == 0);
	if (f->is_dirty)
		undirty(fs, f);
	HASH_DEL(fs->by_filter, e);
	filter_free(f->filter);
	entry_free(fs, e);
}

int
feed_join(struct feed *f, struct stream *s, size_t *place)
{
	void *live =
	    grow(f->live, f->n_live, &f->live_capacity, sizeof(void *));

	if (live == NULL)
		return -1;
	f->live = live;
	*place = f->n_live;
	f->live[f->n_live++] = s;
	return 0;
}

struct stream *
feed_leave(struct feed *f, size_t place)
{
	struct stream *last = f->live[--f->n_live];

	if (place == f->n_live)
		return NULL;
	f->live[place] = last;
	return last;
}

/* ---- gathering ---- */

static void
make_dirty(struct feeds *fs, struct feed *f)
{
	if (f->is_dirty)
		return;
	f->is_dirty = true;
	f->next_dirty = fs->dirty;
	fs->dirty = f;
}

/* Encodings that lie end to end become one piece. */
static int
gather(struct feed *f, const char *bytes, size_t len)
{
	void *pieces;

	if (f->n_pieces == 0)
		f->n_pieces = 1; /* the place for a record header */
	if (f->n_pieces > 1) {
		struct iovec *last = &f->pieces[f->n_pieces - 1];

		if ((const char *)last->iov_base + last->iov_len == bytes) {
			last->iov_len += len;
			f->len += len;
			return 0;
		}
	}
	pieces = grow(f->pieces, f->n_pieces, &f->pieces_capacity,
	    sizeof(*f->pieces));
	if (pieces == NULL)
		return -1;
	f->pieces = pieces;
	f->pieces[f->n_pieces++] =
	    (struct iovec){ .iov_base = (void *)(uintptr_t)bytes,
		    .iov_len = len };
	f->len += len;
	return 0;
}

/*
 * Call visit for each feed subscribed to a pattern that a topic matches.  A
 * filter has at most one such pattern, as none of its patterns covers another.
 */
typedef void visit_fn(struct feeds *fs, struct feed *f, void *cookie);

static void
visit_topic(struct feeds *fs, const char *key, size_t len, visit_fn *visit,
    void *cookie)
{
	struct topic *t = topic_find(fs, key, len);

	for (size_t i = 0; t != NULL && i < t->n; i++)
		visit(fs, &t->subscriptions[i]->entry->feed, cookie);
}

static void
visit_feeds(struct feeds *fs, struct text topic, visit_fn *visit, void *cookie)
{
	char key[EVENT_NAME_MAX + 1];
	bool is_whole = topic.len <= EVENT_NAME_MAX;

	/* the schema refuses longer topics; a damaged file may hold one */
	if (!is_whole)
		topic.len = EVENT_NAME_MAX;
	(void)pattern_key(key, false, topic);
	if (is_whole)
		visit_topic(fs, key, topic.len + 1, visit, cookie);
	key[0] = 'p';
	for (size_t len = 0; len <= topic.len; len++)
		if (fs->prefixes[len] > 0)
			visit_topic(fs, key, len + 1, visit, cookie);
}

struct offer {
	const struct chunk *chunk;
	const struct chunk_entry *entry;
	struct text name;
};

static void
visit_offer(struct feeds *fs, struct feed *f, void *cookie)
{
	const struct offer *o = cookie;

	if (f->n_live == 0 || !filter_has_name(f->filter, o->name))
		return;
	f->last = o->entry->id;
	make_dirty(fs, f);
	if (gather(f, o->chunk->bytes + o->entry->at, o->entry->len) != 0)
		f->is_stale = true;
}

void
feeds_offer(struct feeds *fs, const struct chunk *c, size_t i)
{
	struct offer o = { c, &c->entries[i], chunk_name(c, i) };

	visit_feeds(fs, chunk_topic(c, i), visit_offer, &o);
}

static void
visit_stale(struct feeds *fs, struct feed *f, void *cookie)
{
	(void)cookie;
	f->is_stale = true;
	make_dirty(fs, f);
}

void
feeds_make_stale(struct feeds *fs, struct text topic)
{
	if (topic.bytes != NULL)
		visit_feeds(fs, topic, visit_stale, NULL);
	else
		for (struct feed_entry *e = fs->by_filter; e != NULL;
		     e = e->hh.next)
			visit_stale(fs, &e->feed, NULL);
}

struct feed *
feeds_next_dirty(struct feeds *fs)
{
	struct feed *f = fs->dirty;

	if (f != NULL) {
		fs->dirty = f->next_dirty;
		f->is_dirty = false;
	}
	return f;
}

void
feed_clear(struct feed *f)
{
	f->n_pieces = 0;
	f->len = 0;
	f->is_stale = false;
}
