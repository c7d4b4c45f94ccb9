/*
 * feed: random feeds, streams and events, compared with the model of a filter.
 */
#include "feeds.h"
#include "wishes.h"

#define FEEDS_MAX 12
#define STREAMS_MAX 64
#define EXPECTED_MAX 65536

struct model {
	struct feeds *fs;
	struct chunk *chunks[64];
	size_t n_chunks;
	struct {
		struct wish wish;
		struct feed *feed; /* NULL: not taken */
		size_t users, n_live;
		char expected[EXPECTED_MAX];
		size_t len;
		int64_t last;
		bool is_stale;
	} feeds[FEEDS_MAX];
	struct stream streams[STREAMS_MAX];
};

/* Has another of ours the same feed? */
static bool
is_shared(const struct model *m, size_t i)
{
	for (size_t k = 0; k < FEEDS_MAX; k++)
		if (k != i && m->feeds[k].feed == m->feeds[i].feed)
			return true;
	return false;
}

static size_t
count_feeds(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < FEEDS_MAX; i++)
		n += m->feeds[i].feed != NULL;
	return n;
}

static void
take_random(struct model *m, size_t i)
{
	const struct wish *w = &m->feeds[i].wish;

	if (m->feeds[i].feed == NULL) {
		if (tap_random(4) == 0)
			random_wish(&m->feeds[i].wish);
		m->feeds[i].len = 0;
		m->feeds[i].last = 0;
		m->feeds[i].is_stale = false;
	}
	m->feeds[i].feed = feed_take(m->fs,
	    new_filter(w->patterns, w->n_patterns, w->names, w->n_names));
	if (m->feeds[i].feed == NULL)
		abort();
	m->feeds[i].users++;
	if (is_shared(m, i)) { /* one of ours is enough: give it back */
		feed_release(m->fs, m->feeds[i].feed);
		m->feeds[i].feed = NULL;
		m->feeds[i].users = 0;
	}
}

static void
release_random(struct model *m, size_t i)
{
	if (m->feeds[i].users == 0 ||
	    (m->feeds[i].users == 1 && m->feeds[i].n_live > 0))
		return;
	feed_release(m->fs, m->feeds[i].feed);
	if (--m->feeds[i].users == 0)
		m->feeds[i].feed = NULL;
}

static void
join_or_leave(struct model *m, struct stream *s, size_t i)
{
	if (s->is_live) {
		leave(m->feeds[s->feed].feed, s);
		m->feeds[s->feed].n_live--;
	} else if (m->feeds[i].feed != NULL) {
		s->feed = i;
		join(m->feeds[i].feed, s);
		m->feeds[i].n_live++;
	}
}

static void
offer_random(struct model *m)
{
	char topic[TEXT_MAX + 1], name[1];
	struct text t = random_text(topic, TEXT_MAX + 1);
	struct text n = random_text(name, 1);
	struct chunk *c = m->chunks[m->n_chunks - 1];
	const struct chunk_entry *e;

	offer(m->fs, c, t, n);
	e = &c->entries[c->n - 1];
	for (size_t i = 0; i < FEEDS_MAX; i++) {
		if (m->feeds[i].n_live == 0 ||
		    !wish_has_topic(&m->feeds[i].wish, t) ||
		    !wish_has_name(&m->feeds[i].wish, n))
			continue;
		memcpy(m->feeds[i].expected + m->feeds[i].len, c->bytes + e->at,
		    e->len);
		m->feeds[i].len += e->len;
		m->feeds[i].last = e->id;
	}
}

static void
stale_random(struct model *m)
{
	char topic[TEXT_MAX + 1];
	struct text t = random_text(topic, TEXT_MAX + 1);

	feeds_make_stale(m->fs, t);
	for (size_t i = 0; i < FEEDS_MAX; i++)
		if (m->feeds[i].feed != NULL &&
		    wish_has_topic(&m->feeds[i].wish, t))
			m->feeds[i].is_stale = true;
}

static bool
gathered(const struct feed *f, const char *expected, size_t len)
{
	size_t at = 0;

	if (f->len != len)
		return false;
	for (size_t i = 1; i < f->n_pieces; i++) {
		const struct iovec *p = &f->pieces[i];

		if (at + p->iov_len > len ||
		    memcmp(expected + at, p->iov_base, p->iov_len) != 0)
			return false;
		at += p->iov_len;
	}
	return at == len;
}

static bool
drain(struct model *m)
{
	struct feed *f;

	while ((f = feeds_next_dirty(m->fs)) != NULL) {
		size_t i = 0;

		while (i < FEEDS_MAX && m->feeds[i].feed != f)
			i++;
		if (i == FEEDS_MAX || f->is_stale != m->feeds[i].is_stale ||
		    (m->feeds[i].len == 0 && !f->is_stale) ||
		    (m->feeds[i].len > 0 && f->last != m->feeds[i].last) ||
		    !gathered(f, m->feeds[i].expected, m->feeds[i].len))
			return false;
		feed_clear(f);
		m->feeds[i].len = 0;
		m->feeds[i].is_stale = false;
	}
	for (size_t i = 0; i < FEEDS_MAX; i++)
		if (m->feeds[i].feed != NULL &&
		    (m->feeds[i].len > 0 || m->feeds[i].is_stale))
			return false; /* was not handed out */
	return true;
}

static bool
are_places_right(const struct model *m)
{
	for (size_t i = 0; i < FEEDS_MAX; i++)
		if (m->feeds[i].feed != NULL &&
		    m->feeds[i].feed->n_live != m->feeds[i].n_live)
			return false;
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		const struct stream *s = &m->streams[i];

		if (s->is_live && m->feeds[s->feed].feed->live[s->place] != s)
			return false;
	}
	return feeds_count(m->fs) == count_feeds(m);
}

static void
new_round(struct model *m)
{
	if (m->n_chunks > 0 && tap_random(3) > 0 &&
	    chunk_fits(m->chunks[m->n_chunks - 1], 8192))
		return;
	m->chunks[m->n_chunks] =
	    chunk_new(m->n_chunks == 0 ? 0 : m->chunks[m->n_chunks - 1]->upto,
		0);
	if (m->chunks[m->n_chunks++] == NULL)
		abort();
}

/* Between two drains: anything may happen, in any order. */
static bool
run_round(struct model *m)
{
	new_round(m);
	for (size_t i = tap_random(60); i > 0; i--) {
		size_t k = tap_random(FEEDS_MAX);

		switch (tap_random(10)) {
		case 0:
			take_random(m, k);
			break;
		case 1:
			release_random(m, k);
			break;
		case 2:
		case 3:
			join_or_leave(m, &m->streams[tap_random(STREAMS_MAX)],
			    k);
			break;
		case 4:
			if (tap_random(4) == 0)
				stale_random(m);
			break;
		default:
			offer_random(m);
			break;
		}
		if (!are_places_right(m))
			return false;
	}
	return drain(m);
}

static bool
run_model(void)
{
	static struct model m;
	bool is_good = true;

	memset(&m, 0, sizeof(m));
	m.fs = new_feeds();
	for (size_t i = 0; i < FEEDS_MAX; i++)
		random_wish(&m.feeds[i].wish);
	for (int i = 0; i < 40 && is_good; i++)
		is_good = run_round(&m);
	for (size_t i = 0; i < STREAMS_MAX; i++)
		if (m.streams[i].is_live)
			join_or_leave(&m, &m.streams[i], 0);
	for (size_t i = 0; i < FEEDS_MAX; i++)
		while (m.feeds[i].users > 0)
			release_random(&m, i);
	is_good = is_good && feeds_count(m.fs) == 0;
	feeds_free(m.fs);
	for (size_t i = 0; i < m.n_chunks; i++)
		chunk_free(m.chunks[i]);
	return is_good;
}

static bool
run_models(void)
{
	for (int i = 0; i < 300; i++)
		if (!run_model())
			return false;
	return true;
}

int
main(void)
{
	tap_seed();
	check(run_models(),
	    "random filters, streams and events: as the naive filter has it");
	return tap_end();
}
