#ifndef ROWCAST_FEED_H
#define ROWCAST_FEED_H

#include <sys/uio.h>

#include "lib/filter.h"
#include "chunk.h"

/*
 * A feed: the streams that asked for the same, and what they are to get next.
 * The feeds of a process are found by filter, and by the topic of an event.
 */
struct stream;
struct feeds;

/*
 *   live      streams that have been sent all there is, in no order
 *   pieces    encodings gathered since the last feed_clear(), as they lie in
 *             the tail; pieces[0] is left free for a record header
 *   len       bytes in the pieces
 *   last      id of the last event gathered
 *   is_stale  private to who drains feeds: its live streams cannot be served
 *             from the pieces
 */
struct feed {
	struct filter *filter;
	struct stream **live;
	size_t n_live;
	size_t live_capacity;

	struct iovec *pieces;
	size_t n_pieces;
	size_t pieces_capacity;
	size_t len;
	int64_t last;
	bool is_stale;

	/* private to feed.c */
	struct feed_entry *entry;
	struct feed *next_dirty;
	bool is_dirty;
};

struct feeds *feeds_new(void);     /* NULL if out of memory */
void feeds_free(struct feeds *fs); /* no feed may be left; fs may be NULL */
size_t feeds_count(const struct feeds *fs);

/*
 * The feed for a filter, made if there is none.
 *   returns  NULL if out of memory (filter is then still the caller's)
 *   owns     takes filter; release with feed_release(), once for each take
 */
struct feed *feed_take(struct feeds *fs, struct filter *filter);
void feed_release(struct feeds *fs, struct feed *f);

/* Keep a feed over calls that may release it: one more feed_release(). */
void feed_hold(struct feed *f);

/*
 * Streams come and go.  The place of a stream in f->live is kept by the caller:
 * feed_join() returns it, feed_leave() moves the last stream into the place
 * that becomes free and returns that stream, or NULL if none had to move.
 *   returns  feed_join(): -1 if out of memory
 */
int feed_join(struct feed *f, struct stream *s, size_t *place);
struct stream *feed_leave(struct feed *f, size_t place);

/*
 * Offer an event to the feeds: each that lets it pass and has live streams
 * gathers it (once) and becomes dirty.
 *   shape    the event at index i of chunk c, whose bytes will stay
 *   returns  0; -1 if out of memory: some feeds then are dirty and stale
 */
int feeds_offer(struct feeds *fs, const struct chunk *c, size_t i);

/*
 * Mark stale and dirty each feed that lets a topic pass; all of them where
 * topic.bytes is NULL.
 */
void feeds_make_stale(struct feeds *fs, struct text topic);

/*
 * Take one dirty feed; NULL if there is none.  When done with its pieces, the
 * caller calls feed_clear().
 */
struct feed *feeds_next_dirty(struct feeds *fs);
void feed_clear(struct feed *f);

#endif
