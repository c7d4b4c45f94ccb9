#ifndef ROWCAST_FEEDS_H
#define ROWCAST_FEEDS_H

#include "tap.h"

#include "fcgi/feed.h"
#include "lib/sse.h"

/*
 * What tests of feeds share.  Feeds only keep pointers to streams; here is what
 * these tests know of one.
 */
struct stream {
	size_t place;
	size_t feed;
	bool is_live;
};

static inline struct filter *
new_filter(const struct pattern *patterns, size_t n, const struct text *names,
    size_t n_names)
{
	struct filter *f = filter_new(patterns, n, names, n_names);

	if (f == NULL)
		abort();
	return f;
}

static inline struct feeds *
new_feeds(void)
{
	struct feeds *fs = feeds_new();

	if (fs == NULL)
		abort();
	return fs;
}

static inline struct feed *
take(struct feeds *fs, const char *topic, bool is_prefix)
{
	const struct pattern p = { { topic, strlen(topic) }, is_prefix };
	struct feed *f = feed_take(fs, new_filter(&p, 1, NULL, 0));

	if (f == NULL)
		abort();
	return f;
}

static inline void
join(struct feed *f, struct stream *s)
{
	if (feed_join(f, s, &s->place) != 0)
		abort();
	s->is_live = true;
}

static inline void
leave(struct feed *f, struct stream *s)
{
	struct stream *moved = feed_leave(f, s->place);

	if (moved != NULL)
		moved->place = s->place;
	s->is_live = false;
}

/* Add an event to a chunk and offer it. */
static inline void
offer(struct feeds *fs, struct chunk *c, struct text topic, struct text name)
{
	struct event e = { .id = c->upto + 1,
		.topic = topic,
		.name = name,
		.data = TEXT("data"),
		.retry_ms = EVENT_NO_RETRY };
	size_t len = sse_len(&e);

	if (!chunk_fits(c, len) || chunk_add(c, &e, len) != 0)
		abort();
	feeds_offer(fs, c, c->n - 1);
}

static inline struct chunk *
new_chunk(void)
{
	struct chunk *c = chunk_new(0, 0);

	if (c == NULL)
		abort();
	return c;
}

#endif
