/*
 * Feeds: the streams with one filter each.
 *
 * An event finds its feeds in two steps: whole topics that equal its own, and
 * prefixes that its topic begins with.  So the cost of an event grows with the
 * length of its topic and with the feeds it matches, not with the feeds there
 * are.  Clients choose all keys, so the tables are radix trees.
 */
#include "feed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "radix.h"

/* A pattern and the subscriptions to it. */
struct topic {
	struct radix *table; /* that it is in */
	struct subscription **subscriptions;
	size_t n;
	size_t capacity;
	size_t len;
	char bytes[];
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
	size_t place; /* in the list of all */
	size_t users;
	size_t n_subscriptions;
	struct subscription subscriptions[];
};

struct feeds {
	struct radix by_filter; /* feed entries */
	struct radix by_topic;  /* topics that are asked for as a whole */
	struct radix by_prefix; /* topics that are prefixes */
	struct feed_entry **all;
	size_t n;
	size_t capacity;
	struct feed *dirty;
};

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
	assert(fs->n == 0);
	free(fs->all);
	free(fs);
}

size_t
feeds_count(const struct feeds *fs)
{
	return fs->n;
}

/* ---- topics ---- */

static struct text
topic_text(const struct topic *t)
{
	return (struct text){ t->bytes, t->len };
}

static struct topic *
topic_new(struct radix *table, struct text text)
{
	struct topic *t = calloc(1, sizeof(*t) + text.len);

	if (t == NULL)
		return NULL;
	t->table = table;
	t->len = text.len;
	if (text.len > 0)
		memcpy(t->bytes, text.bytes, text.len);
	if (radix_add(table, topic_text(t), t) != 0) {
		free(t);
		return NULL;
	}
	return t;
}

static void
topic_free(struct topic *t)
{
	radix_remove(t->table, topic_text(t));
	free(t->subscriptions);
	free(t);
}

static int
subscribe(struct feeds *fs, struct subscription *s, const struct pattern *p)
{
	struct radix *table = p->is_prefix ? &fs->by_prefix : &fs->by_topic;
	struct topic *t = radix_find(table, p->text);
	void *list;

	if (t == NULL && (t = topic_new(table, p->text)) == NULL)
		return -1;
	list = grow(t->subscriptions, t->n, &t->capacity, sizeof(void *));
	if (list == NULL) {
		if (t->n == 0)
			topic_free(t);
		return -1;
	}
	t->subscriptions = list;
	s->topic = t;
	s->place = t->n;
	t->subscriptions[t->n++] = s;
	return 0;
}

static void
unsubscribe(struct subscription *s)
{
	struct topic *t = s->topic;
	struct subscription *last = t->subscriptions[--t->n];

	t->subscriptions[s->place] = last;
	last->place = s->place;
	if (t->n == 0)
		topic_free(t);
}

/* ---- one feed ---- */

static void
entry_free(struct feed_entry *e)
{
	for (size_t i = 0; i < e->n_subscriptions; i++)
		unsubscribe(&e->subscriptions[i]);
	free(e->feed.live);
	free(e->feed.pieces);
	free(e);
}

/* Put an entry into the list of all and into the table of filters. */
static int
entry_enter(struct feeds *fs, struct feed_entry *e)
{
	void *all = grow(fs->all, fs->n, &fs->capacity, sizeof(void *));

	if (all == NULL)
		return -1;
	fs->all = all;
	if (radix_add(&fs->by_filter, filter_key(e->feed.filter), e) != 0)
		return -1;
	e->place = fs->n;
	fs->all[fs->n++] = e;
	return 0;
}

static void
entry_leave(struct feeds *fs, struct feed_entry *e)
{
	struct feed_entry *last = fs->all[--fs->n];

	fs->all[e->place] = last;
	last->place = e->place;
	radix_remove(&fs->by_filter, filter_key(e->feed.filter));
}

static struct feed_entry *
entry_new(struct feeds *fs, struct filter *filter)
{
	const struct pattern *patterns;
	struct feed_entry *e;
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
			entry_free(e);
			return NULL;
		}
		e->n_subscriptions++;
	}
	if (entry_enter(fs, e) != 0) {
		entry_free(e);
		return NULL;
	}
	return e;
}

struct feed *
feed_take(struct feeds *fs, struct filter *filter)
{
	struct feed_entry *e = radix_find(&fs->by_filter, filter_key(filter));

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
	entry_leave(fs, e);
	filter_free(f->filter);
	entry_free(e);
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

/* What happens to a feed that an event matches. */
struct visit {
	struct feeds *feeds;
	void (*feed)(struct feeds *fs, struct feed *f, void *cookie);
	void *cookie;
};

static void
visit_topic(void *cookie, void *value)
{
	const struct visit *v = cookie;
	const struct topic *t = value;

	for (size_t i = 0; i < t->n; i++)
		v->feed(v->feeds, &t->subscriptions[i]->entry->feed, v->cookie);
}

/* Visit each feed with a pattern that a topic matches.  A filter has at most
   one such pattern, as none of its patterns covers another. */
static void
visit_feeds(struct visit *v, struct text topic)
{
	void *t = radix_find(&v->feeds->by_topic, topic);

	if (t != NULL)
		visit_topic(v, t);
	radix_visit_prefixes(&v->feeds->by_prefix, topic, visit_topic, v);
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
	struct visit v = { fs, visit_offer, &o };

	visit_feeds(&v, chunk_topic(c, i));
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
	struct visit v = { fs, visit_stale, NULL };

	if (topic.bytes != NULL)
		visit_feeds(&v, topic);
	else
		for (size_t i = 0; i < fs->n; i++)
			visit_stale(fs, &fs->all[i]->feed, NULL);
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
