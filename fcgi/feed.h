#ifndef ROWCAST_FEED_H
#define ROWCAST_FEED_H

#include <sys/uio.h>

#include "lib/filter.h"
#include "chunk.h"

/*
 * A feed: the streams with one filter, and the events to send to them next.
 * The feeds of a process are found by filter, and by the topic of an event.
 */
struct stream;
struct feeds;

/*
 *   live      streams that have been sent all there is, in no order
 *   pieces    encodings gathered since the last feed_clear(), which lie in the
 *             tail; pieces[0] is left free for a record header
 *   len       bytes in the pieces
 *   last      id of the last event gathered
 *   is_stale  the pieces are incomplete: serve the streams from the source
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
 * Find the feed for a filter, or make it.
 *   returns  NULL if out of memory
 *   owns     takes filter, unless it returns NULL; the caller releases the
 *            feed with feed_release(), once for each take
 */
struct feed *feed_take(struct feeds *fs, struct filter *filter);
void feed_release(struct feeds *fs, struct feed *f);

/* Keep a feed through calls that may release it.  Requires another
   feed_release(). */
void feed_hold(struct feed *f);

/*
 * Add a stream to f->live, or remove it.  The caller keeps its place there, and
 * changes that of the stream that feed_leave() moves into the free place.
 *   returns  feed_join(): 0 with *place set; -1 if out of memory
 *            feed_leave(): the stream that was moved; NULL if none was
 */
int feed_join(struct feed *f, struct stream *s, size_t *place);
struct stream *feed_leave(struct feed *f, size_t place);

/*
 * Offer an event to the feeds.  Each feed that lets it pass and has live
 * streams gathers it once and becomes dirty.
 *   shape    the event at index i of chunk c, whose bytes stay until the feeds
 *            have been cleared
 * A feed that is out of memory becomes dirty and stale.
 */
void feeds_offer(struct feeds *fs, const struct chunk *c, size_t i);

/* Make each feed that lets a topic pass stale and dirty; all feeds if
   topic.bytes is NULL. */
void feeds_make_stale(struct feeds *fs, struct text topic);

/* Take one dirty feed; NULL if there is none.  Call feed_clear() when done with
   its pieces. */
struct feed *feeds_next_dirty(struct feeds *fs);
void feed_clear(struct feed *f);

#endif
