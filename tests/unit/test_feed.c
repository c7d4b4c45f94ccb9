/*
 * feed: the streams that asked for the same, and what they are to get next.
 * One check for each promise of the contract.
 */
#include "feeds.h"

static void
check_take(void)
{
	struct feeds *fs = new_feeds();
	struct feed *a, *again, *b;

	check(feeds_count(fs) == 0, "no feed at first");
	a = take(fs, "a", false);
	b = take(fs, "a", true);
	again = take(fs, "a", false);
	check(a != b && feeds_count(fs) == 2, "another filter, another feed");
	check(a == again, "the same filter, the same feed");
	check(a->n_live == 0 && a->len == 0 && a->n_pieces == 0,
	    "a new feed has neither streams nor bytes");
	feed_hold(a);
	feed_release(fs, a);
	feed_release(fs, a);
	check(feeds_count(fs) == 2, "a feed stays while somebody holds it");
	feed_release(fs, a);
	check(feeds_count(fs) == 1, "and goes with the last of them");
	feed_release(fs, b);
	check(feeds_count(fs) == 0, "as they all do");
	feeds_free(fs);
	feeds_free(NULL);
	check(true, "free takes NULL");
}

static void
check_live(void)
{
	struct feeds *fs = new_feeds();
	struct feed *f = take(fs, "a", false);
	struct stream s[3] = { { 0 } };

	for (size_t i = 0; i < 3; i++)
		join(f, &s[i]);
	check(f->n_live == 3 && f->live[s[0].place] == &s[0] &&
		f->live[s[1].place] == &s[1] && f->live[s[2].place] == &s[2],
	    "streams have places");
	check(feed_leave(f, s[0].place) == &s[2] && f->n_live == 2 &&
		f->live[s[0].place] == &s[2],
	    "the last takes the place of one that leaves");
	check(feed_leave(f, s[1].place) == NULL && f->n_live == 1,
	    "none has to move for the last");
	check(feed_leave(f, 0) == NULL && f->n_live == 0, "all can leave");
	feed_release(fs, f);
	feeds_free(fs);
}

static void
check_offer(void)
{
	struct feeds *fs = new_feeds();
	struct feed *a = take(fs, "a", false), *all = take(fs, "", true);
	struct feed *empty = take(fs, "", false), *idle = take(fs, "a", true);
	struct stream s[3] = { { 0 } };
	struct chunk *c = new_chunk();

	join(a, &s[0]);
	join(all, &s[1]);
	join(empty, &s[2]);
	check(feeds_next_dirty(fs) == NULL, "nothing offered: nothing to do");
	offer(fs, c, TEXT("b"), TEXT("message"));
	check(feeds_next_dirty(fs) == all && feeds_next_dirty(fs) == NULL,
	    "only those that let it pass get it");
	check(all->n_pieces == 2 && all->len == c->len &&
		all->pieces[1].iov_base == c->bytes &&
		all->pieces[1].iov_len == c->len && all->last == 1,
	    "as it lies in the chunk, behind a free place");
	feed_clear(all);
	check(all->n_pieces == 0 && all->len == 0 && !all->is_stale,
	    "clear takes it off");
	offer(fs, c, TEXT("a"), TEXT("message"));
	offer(fs, c, TEXT("a"), TEXT("message"));
	check(idle->len == 0, "a feed without live streams gathers nothing");
	check(a->n_pieces == 2 && a->len == c->len - c->entries[1].at &&
		a->last == 3,
	    "encodings that lie end to end are one piece");
	offer(fs, c, TEXT("b"), TEXT("message"));
	offer(fs, c, TEXT("a"), TEXT("message"));
	check(a->n_pieces == 3 && a->pieces[2].iov_len == c->entries[4].len,
	    "others are another");
	offer(fs, c, TEXT(""), TEXT("message"));
	check(empty->len == c->entries[5].len && empty->last == 6,
	    "the empty topic is a topic");
	check(feeds_next_dirty(fs) != NULL && feeds_next_dirty(fs) != NULL &&
		feeds_next_dirty(fs) != NULL && feeds_next_dirty(fs) == NULL,
	    "a feed is dirty once");
	for (size_t i = 0; i < 3; i++) {
		struct feed *f = i == 0 ? a : i == 1 ? all : empty;

		leave(f, &s[i]);
		feed_release(fs, f);
	}
	feed_release(fs, idle);
	feeds_free(fs);
	chunk_free(c);
}

static void
check_long_topics(void)
{
	static char topic[EVENT_NAME_MAX + 2];
	struct feeds *fs = new_feeds();
	struct feed *exact, *prefix;
	struct stream s[2] = { { 0 } };
	struct chunk *c = new_chunk();

	memset(topic, 't', EVENT_NAME_MAX);
	exact = take(fs, topic, false);
	prefix = take(fs, topic, true);
	join(exact, &s[0]);
	join(prefix, &s[1]);
	offer(fs, c, (struct text){ topic, EVENT_NAME_MAX }, TEXT("message"));
	check(exact->last == 1 && prefix->last == 1,
	    "the longest topic is found, whole and as a prefix");
	topic[EVENT_NAME_MAX] = 't';
	offer(fs, c, (struct text){ topic, EVENT_NAME_MAX + 1 },
	    TEXT("message"));
	check(exact->last == 1 && prefix->last == 2,
	    "a longer one, of a damaged file, as a prefix only");
	leave(exact, &s[0]);
	leave(prefix, &s[1]);
	feed_release(fs, exact);
	feed_release(fs, prefix);
	feeds_free(fs);
	chunk_free(c);
}

static void
check_stale(void)
{
	struct feeds *fs = new_feeds();
	struct feed *a = take(fs, "a", false), *p = take(fs, "a", true);
	struct feed *b = take(fs, "b", false), *dirty;

	feeds_make_stale(fs, TEXT("a"));
	dirty = feeds_next_dirty(fs);
	check((dirty == a || dirty == p) && feeds_next_dirty(fs) != NULL &&
		feeds_next_dirty(fs) == NULL && a->is_stale && p->is_stale &&
		!b->is_stale,
	    "a removed event makes stale the feeds of its topic");
	feed_clear(a);
	feed_clear(p);
	check(!a->is_stale && !p->is_stale, "clear ends that");
	feeds_make_stale(fs, TEXT("a"));
	feed_release(fs, a);
	check(feeds_next_dirty(fs) == p && feeds_next_dirty(fs) == NULL,
	    "a feed that goes while it is dirty is not handed out");
	feed_clear(p);
	feeds_make_stale(fs, (struct text){ NULL, 0 });
	check(feeds_next_dirty(fs) != NULL && feeds_next_dirty(fs) != NULL &&
		feeds_next_dirty(fs) == NULL && p->is_stale && b->is_stale,
	    "one of a forgotten topic makes stale all feeds");
	feed_release(fs, p);
	feed_release(fs, b);
	feeds_make_stale(fs, TEXT("a"));
	check(feeds_next_dirty(fs) == NULL, "nor found again");
	feeds_free(fs);
}

int
main(void)
{
	check_take();
	check_live();
	check_offer();
	check_long_topics();
	check_stale();
	return tap_end();
}
