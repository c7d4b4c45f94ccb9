/*
 * tail, pages and feeds against a model: a log that is a list.
 *
 * The input is a list of operations: events are added to the log, removed from
 * it, read into the tail and offered to the feeds, which may fail half way;
 * streams with filters come, go, catch up record by record, are live, fall
 * behind.  Holds if each stream gets exactly the events of the list that its
 * filter lets pass, in their order, byte by byte; if a large event of which a
 * part was sent breaks off only where it was removed; and if the tail holds
 * what it says it holds.
 *
 * Options: -len_control=0 -max_len=2000
 * Covers: fcgi/feed.c fcgi/radix.c fcgi/tail.c fcgi/pages.c
 * Covers: fcgi/chunk.c fcgi/batch.c
 */
#include "fuzz.h"

#include "fcgi/batch.h"
#include "fcgi/feed.h"
#include "fcgi/pages.h"
#include "fcgi/tail.h"
#include "lib/fastcgi/records.h"
#include "lib/sse.h"
#include "wish.h"

#define LOG_MAX 400
#define STREAMS_MAX 16
#define OPERATIONS_MAX 600

/* A row of the list, with its encoding. */
struct row {
	struct event event;
	char *bytes;
	size_t len;
	bool is_removed;
};

/* Feeds only keep pointers to streams. */
struct stream {
	struct feed *feed; /* NULL: no such stream */
	struct wish wish;
	size_t place;
	bool is_live;
	int64_t cursor; /* of one that is not live */
	int64_t part_id;
	size_t part_len;
	size_t part;
	size_t next; /* row: those before it it has got, or passed */
};

struct world {
	struct choices choices;
	struct row rows[LOG_MAX];
	size_t n;
	size_t read; /* rows that the tail has been told */
	struct tail *tail;
	struct pages *pages;
	struct feeds *feeds;
	struct stream streams[STREAMS_MAX];
};

/* ---- the list ---- */

static void
add_row(struct world *w)
{
	static const size_t sizes[] = { 0, 1, 200, 2000, 20000, 20000, 30000,
		66000 };
	static const char data[66000];
	struct row *r = &w->rows[w->n];
	struct choices *c = &w->choices;

	if (w->n == LOG_MAX)
		return;
	r->event = (struct event){
		.id = (w->n > 0 ? w->rows[w->n - 1].event.id : 0) + 1,
		.topic = choose_name(c),
		.name = wish_names[6 - choose(c, 2) * 5],
		.retry_ms = EVENT_NO_RETRY,
	};
	r->event.data = (struct text){ data, sizes[choose(c, 8)] };
	if (choose(c, 8) == 7) /* ids were left out */
		r->event.id += 1 + (int64_t)choose(c, 10);
	r->len = sse_len(&r->event);
	r->bytes = malloc(r->len);
	require(r->bytes != NULL);
	(void)sse_encode(&r->event, r->bytes);
	w->n++;
}

/* The next row from s->next on that this stream is to get; w->read if none. */
static size_t
next_of(const struct world *w, const struct stream *s)
{
	size_t i = s->next;

	while (i < w->read &&
	    (w->rows[i].is_removed || !wish_has(&s->wish, &w->rows[i].event)))
		i++;
	return i;
}

/* Nobody is told what is removed; it is not to be sent any more. */
static void
remove_rows(struct world *w)
{
	struct text topic = choose_name(&w->choices);
	size_t from = choose(&w->choices, LOG_MAX), n = choose(&w->choices, 20);
	int64_t highest = 0;

	for (size_t i = from; i < w->read && i < from + n; i++)
		if (text_equal(w->rows[i].event.topic, topic)) {
			w->rows[i].is_removed = true;
			highest = w->rows[i].event.id;
		}
	if (highest == 0)
		return;
	tail_forget(w->tail, highest);
	pages_forget(w->pages, highest);
}

/* ---- streams ---- */

static void
leave(struct stream *s)
{
	struct stream *moved;

	if (!s->is_live)
		return;
	moved = feed_leave(s->feed, s->place);
	if (moved != NULL)
		moved->place = s->place;
	s->is_live = false;
}

static void
close_stream(struct world *w, struct stream *s)
{
	leave(s);
	if (s->feed != NULL)
		feed_release(w->feeds, s->feed);
	s->feed = NULL;
}

static void
open_stream(struct world *w, struct stream *s)
{
	struct choices *c = &w->choices;
	struct wish wish = w->streams[choose(c, STREAMS_MAX)].wish;

	close_stream(w, s);
	*s = (struct stream){ .wish = wish };
	/* mostly what another one has asked for: feeds are to be shared */
	if (choose(c, 4) == 3)
		choose_wish(c, &s->wish);
	s->feed = feed_take(w->feeds, wish_filter(&s->wish));
	require(s->feed != NULL);
	/* from now, or from some row on */
	s->next = choose(c, 2) == 0 ? w->read : choose(c, w->read + 1);
	s->cursor = s->next == w->read ? tail_head(w->tail) :
	    s->next > 0                ? w->rows[s->next - 1].event.id :
					 0;
}

/* Compare what is sent with the rows that are to come; s->part goes on. */
static void
take_bytes(struct world *w, struct stream *s, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t i = next_of(w, s), n;
		const struct row *r = &w->rows[i];

		require(i < w->read);
		require(s->part == 0 || s->part_id == r->event.id);
		n = r->len - s->part;
		if (n > len)
			n = len;
		require(memcmp(r->bytes + s->part, bytes, n) == 0);
		bytes += n;
		len -= n;
		s->part += n;
		s->part_id = r->event.id;
		s->part_len = r->len;
		s->next = i;
		if (s->part < r->len)
			continue;
		s->part = 0;
		s->next++;
	}
}

static void
take_pieces(struct world *w, struct stream *s, const struct iovec *pieces,
    size_t n, size_t len)
{
	size_t total = 0;

	require(n <= CONNECTION_PIECES_MAX && len <= RECORDS_CONTENT_MAX);
	for (size_t i = 1; i < n; i++) {
		take_bytes(w, s, pieces[i].iov_base, pieces[i].iov_len);
		total += pieces[i].iov_len;
	}
	require(total == len);
}

/* ---- catching up ---- */

/* A page, as source.c reads it from the log. */
static struct chunk *
read_page(struct world *w, const struct filter *f, int64_t cursor)
{
	int64_t upto = tail_start(w->tail), reached = upto;
	size_t left = 1 + choose(&w->choices, 50);
	struct chunk *page = NULL;

	for (size_t i = 0; i < w->read; i++) {
		const struct row *r = &w->rows[i];

		if (r->event.id <= cursor || r->event.id > upto ||
		    r->is_removed ||
		    (filter_is_exact(f) &&
			!filter_has_topic(f, r->event.topic)))
			continue;
		if (page == NULL)
			page = chunk_new(cursor, r->len);
		require(page != NULL);
		if (left-- == 0 || !chunk_fits(page, r->len)) {
			reached = page->upto;
			break;
		}
		require(chunk_add(page, &r->event, r->len) == 0);
	}
	if (page == NULL)
		page = chunk_new(cursor, 0);
	require(page != NULL);
	page->upto = reached;
	return page;
}

static const struct chunk *
find_chunk(struct world *w, const struct filter *f, int64_t cursor)
{
	const struct chunk *c = tail_find(w->tail, cursor);
	struct text key = { NULL, 0 };

	require((c != NULL) ==
	    (cursor >= tail_start(w->tail) && cursor < tail_head(w->tail)));
	if (c != NULL)
		return c;
	if (filter_is_exact(f))
		key = filter_key(f);
	c = pages_find(w->pages, key, cursor, 0);
	return c != NULL ? c :
			   pages_keep(w->pages, key, read_page(w, f, cursor));
}

/* One record; false if the stream has ended, or is live now. */
static bool
catch_up_once(struct world *w, struct stream *s)
{
	static struct batch b;
	const struct chunk *c;
	int64_t id = s->part > 0 ? s->part_id : 0;
	size_t i = next_of(w, s);

	if (s->cursor >= tail_head(w->tail)) {
		require(s->part == 0 && i == w->read);
		require(feed_join(s->feed, s, &s->place) == 0);
		s->is_live = true;
		s->next = w->read;
		return false;
	}
	c = find_chunk(w, s->feed->filter, s->cursor);
	require(c != NULL && c->after <= s->cursor && s->cursor < c->upto);
	batch_begin(&b,
	    &(struct position){ .cursor = s->cursor,
		.part = s->part,
		.part_id = s->part_id,
		.part_len = s->part_len });
	if (batch_add_events(&b, s->feed->filter, c) == BATCH_BROKEN) {
		/* only what was removed cannot be gone on with */
		require(id > 0);
		require(i == w->read || w->rows[i].event.id != id);
		close_stream(w, s);
		return false;
	}
	require(b.len > 0 || b.at.cursor > s->cursor);
	take_pieces(w, s, b.pieces, (size_t)b.n, b.len);
	require(b.at.part == s->part &&
	    (b.at.part == 0 || b.at.part_id == s->part_id));
	s->cursor = b.at.cursor;
	return true;
}

static void
catch_up(struct world *w, struct stream *s)
{
	size_t records = 1 + choose(&w->choices, 20);

	if (s->feed == NULL || s->is_live)
		return;
	for (size_t i = 0; i < records; i++)
		if (!catch_up_once(w, s))
			return;
}

/* ---- live ---- */

static void
fall_behind(struct stream *s, int64_t cursor)
{
	leave(s);
	s->cursor = cursor;
}

/* One send to each live stream of a feed, as hub.c does it. */
static void
drain_feed(struct world *w, struct feed *f, int64_t before)
{
	bool one_by_one = f->is_stale || f->len > RECORDS_CONTENT_MAX;

	feed_hold(f);
	for (size_t i = f->n_live; i-- > 0;) {
		struct stream *s = f->live[i];

		require(s->feed == f && s->place == i);
		if (one_by_one || choose(&w->choices, 8) == 7) {
			fall_behind(s, before);
			continue;
		}
		take_pieces(w, s, f->pieces, f->n_pieces, f->len);
		require(f->last == w->rows[s->next - 1].event.id);
		if (choose(&w->choices, 8) == 7) /* not all of it went out */
			fall_behind(s, f->last);
		else if (choose(&w->choices, 16) == 15)
			close_stream(w, s);
	}
	feed_clear(f);
	feed_release(w->feeds, f);
}

/* What may be in doubt is not sent from the pieces. */
static void
make_stale(struct world *w)
{
	if (choose(&w->choices, 16) == 15)
		feeds_make_stale(w->feeds, choose_name(&w->choices));
	if (choose(&w->choices, 64) == 63)
		feeds_make_stale(w->feeds, (struct text){ NULL, 0 });
}

/* Read new rows, as source_step() does: one record of them. */
static void
step(struct world *w)
{
	int64_t before = tail_head(w->tail);
	size_t len = 0, n = w->read, rows = 1 + choose(&w->choices, 40);
	bool fails = choose(&w->choices, 16) == 15;
	struct feed *f;

	for (; n < w->n && rows > 0; n++, rows--) {
		const struct row *r = &w->rows[n];
		const struct chunk *c;

		if (len > 0 && len + r->len > RECORDS_CONTENT_MAX)
			break;
		c = tail_add(w->tail, &r->event, r->len);
		require(c != NULL);
		len += r->len;
		feeds_offer(w->feeds, c, c->n - 1);
	}
	make_stale(w);
	if (fails) {
		tail_cut(w->tail, before);
		while ((f = feeds_next_dirty(w->feeds)) != NULL)
			feed_clear(f);
		return;
	}
	w->read = n;
	while ((f = feeds_next_dirty(w->feeds)) != NULL)
		drain_feed(w, f, before);
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct stream *s = &w->streams[i];

		if (s->feed == NULL || !s->is_live)
			continue;
		require(next_of(w, s) == w->read); /* it got all there is */
		s->next = w->read;
	}
}

/* ---- the whole ---- */

/* The first row from i on that is there and lies behind an id. */
static size_t
there(const struct world *w, size_t i, int64_t id)
{
	while (
	    i < w->read && (w->rows[i].is_removed || w->rows[i].event.id <= id))
		i++;
	return i;
}

/* Between its start and its head the tail holds every row. */
static void
check_tail(const struct world *w)
{
	int64_t cursor = tail_start(w->tail), head = tail_head(w->tail);
	size_t i = 0;

	require(cursor <= head);
	require(tail_find(w->tail, head) == NULL);
	require(tail_find(w->tail, cursor - 1) == NULL);
	i = there(w, 0, cursor);
	while (cursor < head) {
		const struct chunk *c = tail_find(w->tail, cursor);

		require(c != NULL && c->after == cursor && c->upto > cursor);
		for (size_t k = 0; k < c->n; k++) {
			const struct row *r = &w->rows[i];

			require(i < w->read);
			require(c->entries[k].id == r->event.id);
			require(text_equal(chunk_topic(c, k), r->event.topic));
			require(text_equal(chunk_name(c, k), r->event.name));
			require(c->entries[k].len == r->len);
			i = there(w, i + 1, 0);
		}
		cursor = c->upto;
	}
	require(i == w->read);
}

/* The last id was given, and its row removed before it was seen. */
static void
add_unseen(struct world *w)
{
	if (w->read < w->n || w->n == LOG_MAX)
		return;
	add_row(w);
	w->rows[w->n - 1].is_removed = true;
	w->read = w->n;
	tail_reach(w->tail, w->rows[w->n - 1].event.id);
}

static void
operate(struct world *w)
{
	struct stream *s = &w->streams[choose(&w->choices, STREAMS_MAX)];
	size_t kind = choose(&w->choices, 16);

	if (kind < 3)
		add_row(w);
	else if (kind < 7)
		step(w);
	else if (kind < 10)
		open_stream(w, s);
	else if (kind < 11)
		close_stream(w, s);
	else if (kind < 13)
		catch_up(w, s);
	else if (kind < 14)
		for (size_t i = 0; i < STREAMS_MAX; i++)
			catch_up(w, &w->streams[i]);
	else if (kind < 15)
		remove_rows(w);
	else
		add_unseen(w);
	check_tail(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t capacities[] = { 0, 70000, 300000, 10000000 };
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.choices = (struct choices){ data, size };
	w.tail = tail_new(capacities[choose(&w.choices, 4)], 0);
	w.pages = pages_new(capacities[choose(&w.choices, 4)]);
	w.feeds = feeds_new();
	require(w.tail != NULL && w.pages != NULL && w.feeds != NULL);
	for (int i = 0; i < OPERATIONS_MAX && w.choices.len > 0; i++)
		operate(&w);
	for (size_t i = 0; i < STREAMS_MAX; i++)
		close_stream(&w, &w.streams[i]);
	require(feeds_count(w.feeds) == 0);
	feeds_free(w.feeds);
	pages_free(w.pages);
	tail_free(w.tail);
	for (size_t i = 0; i < w.n; i++)
		free(w.rows[i].bytes);
	return 0;
}
