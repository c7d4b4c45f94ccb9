/*
 * feed: filters that clients choose in order to make look-ups slow.
 *
 * Counts comparisons, not time: those of runs of bytes, and those that choose
 * the next node of a tree.
 */
#include <string.h>

static unsigned long comparisons;

#define memcmp(a, b, n) (comparisons++, memcmp(a, b, n))
#define memchr(s, c, n) (comparisons++, memchr(s, c, n))
/* to count in them, too
   NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "fcgi/radix.c"
/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "fcgi/feed.c"
#undef memcmp
#undef memchr

#include "feeds.h"
#include "tests/oracle/collisions.h"

#define FEEDS 1024

/* A filter of one pattern is found twice: as a filter, whose key has a few
   bytes more, and as a pattern. */
#define TAKE_MAX (2 * (EVENT_NAME_MAX + 16))

static struct feed *feeds[FEEDS];

static void
take_text(struct feeds *fs, size_t i, struct text text, bool is_prefix)
{
	const struct pattern p = { text, is_prefix };

	feeds[i] = feed_take(fs, new_filter(&p, 1, NULL, 0));
	if (feeds[i] == NULL)
		abort();
}

static void
release_all(struct feeds *fs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		feed_release(fs, feeds[i]);
	feeds_free(fs);
}

/* Count the comparisons for one event. */
static unsigned long
look_up(struct feeds *fs, struct text topic)
{
	comparisons = 0;
	feeds_make_stale(fs, topic);
	while (feeds_next_dirty(fs) != NULL)
		;
	return comparisons;
}

/*
 * Collisions of a hash without a secret.  Before is what stands in front of the
 * topics in the key of a table.
 */
static void
check_collisions(const char *before)
{
	static struct collisions c;
	static char texts[FEEDS][COLLISIONS_BYTES];
	size_t len = strlen(before);
	struct feeds *fs = new_feeds();
	unsigned long most_to_take = 0, most_to_offer = 0;
	bool collide = true;

	collisions_make(&c, text_of(before));
	for (size_t i = 0; i < FEEDS; i++) {
		collisions_text(&c, i, texts[i]);
		collide = collide &&
		    collisions_hash(texts[i], COLLISIONS_BYTES) ==
			collisions_hash(texts[0], COLLISIONS_BYTES);
	}
	check(collide, "these texts have one hash");
	for (size_t i = 0; i < FEEDS; i++) {
		comparisons = 0;
		take_text(fs, i,
		    (struct text){ texts[i] + len, COLLISIONS_BYTES - len },
		    false);
		if (comparisons > most_to_take)
			most_to_take = comparisons;
	}
	for (size_t i = 0; i < FEEDS; i++) {
		unsigned long n = look_up(fs,
		    (struct text){ texts[i] + len, COLLISIONS_BYTES - len });

		if (n > most_to_offer)
			most_to_offer = n;
	}
	check(most_to_take <= TAKE_MAX,
	    "%d topics that collide: at most %lu comparisons to take a feed",
	    FEEDS, most_to_take);
	check(most_to_offer <= EVENT_NAME_MAX,
	    "%d topics that collide: at most %lu comparisons for an event",
	    FEEDS, most_to_offer);
	release_all(fs, FEEDS);
}

/* A prefix of each length, of other topics than the event's. */
static void
check_lengths(void)
{
	static char text[EVENT_NAME_MAX];
	struct feeds *fs = new_feeds();
	unsigned long n;

	for (size_t i = 0; i < EVENT_NAME_MAX; i++) {
		/* each has a beginning of its own, and none covers another */
		memset(text, 'a' + (int)i % 26, i + 1);
		text[0] = (char)('A' + (int)i / 26);
		take_text(fs, i, (struct text){ text, i + 1 }, true);
	}
	memset(text, 'a', EVENT_NAME_MAX);
	n = look_up(fs, (struct text){ text, EVENT_NAME_MAX });
	check(n <= 8, "%d lengths of prefix that do not match: %lu comparisons",
	    EVENT_NAME_MAX, n);
	release_all(fs, EVENT_NAME_MAX);
}

/* Prefixes of the event's topic, and at each byte others beside it. */
static void
check_worst(void)
{
	static char text[EVENT_NAME_MAX];
	struct feeds *fs = new_feeds();
	unsigned long n;
	size_t i = 0;

	for (size_t len = 1; i + 4 <= FEEDS && len <= EVENT_NAME_MAX; len++)
		for (int other = 0; other < 4; other++) {
			memset(text, 'a', len);
			text[len - 1] = (char)('a' + other);
			take_text(fs, i++, (struct text){ text, len }, true);
		}
	memset(text, 'a', EVENT_NAME_MAX);
	n = look_up(fs, (struct text){ text, EVENT_NAME_MAX });
	check(n <= 2 * EVENT_NAME_MAX,
	    "a topic that parts from others at each byte: %lu comparisons", n);
	release_all(fs, i);
}

int
main(void)
{
	check_collisions("");
	check_collisions("e");
	check_lengths();
	check_worst();
	return tap_end();
}
