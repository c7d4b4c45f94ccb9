/*
 * One client.
 *
 * The bytes sent to it depend on its position alone: they are the events after
 * its cursor, encoded the same way each time.  So nothing is kept for it but a
 * record that went out in part, and after any wait it continues from the log.
 */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/loop/timer.h"
#include "batch.h"
#include "notice.h"

#define TIMER_AGAIN_MS 1000 /* until a notice that is due is tried again */

/* State that only the first record needs. */
struct stream_start {
	struct seek seek;
	int64_t value; /* as requested: seek counts down */
	bool is_found;
	struct greeting greeting;
};

struct stream {
	struct place place; /* written by the roster */
	const struct stream_owner *owner;
	struct connection *connection;
	struct feed *feed;
	uv_timer_t timer;
	int64_t ends_ms;        /* its maximum age */
	struct position at;     /* while live: has passed the head of the log */
	struct gap_known known; /* removals that need no notice */
	struct notices notices;
	struct stream_start *start; /* until the first record is sent */
	uint64_t checked; /* version of the log at the last check for a gap */
	bool must_check;  /* for a gap, whatever the version */
};

static int64_t
now_ms(const struct stream *s)
{
	return (int64_t)uv_now(s->timer.loop);
}

/* ---- making ---- */

/* Streams that began together do not end together. */
static int64_t
jittered(int64_t ms)
{
	int64_t fifth = ms / 5;
	uint64_t random = 0;

	/* if it fails, they all end together, no worse */
	(void)uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
	return fifth == 0 ?
	    ms :
	    ms - fifth + (int64_t)(random % (uint64_t)(2 * fifth));
}

static void on_timer(uv_timer_t *timer);

static void
arm(struct stream *s)
{
	const struct responder_config *config = s->owner->config;
	int64_t now = now_ms(s), at, wait = config->stall_ms;

	/* whichever is sooner: the stream may block or continue until then */
	if (wait > config->keepalive_ms)
		wait = config->keepalive_ms;
	at = connection_progress_ms(s->connection) + wait;
	if (at > s->ends_ms && now < s->ends_ms)
		at = s->ends_ms;
	timer_start(&s->timer, on_timer, at > now ? at - now : TIMER_AGAIN_MS);
}

static void
on_timer(uv_timer_t *timer)
{
	struct stream *s = timer->data;
	const struct stream_owner *owner = s->owner;
	int64_t now = now_ms(s);
	int64_t silence = now - connection_progress_ms(s->connection);
	bool is_blocked = connection_is_blocked(s->connection);

	if (is_blocked && silence >= owner->config->stall_ms) {
		connection_abort(s->connection);
		owner->over(owner->cookie, s);
		return;
	}
	if (now >= s->ends_ms && !(s->notices.due & NOTICE_END))
		stream_end(s, -1);
	else if (silence >= owner->config->keepalive_ms && s->start == NULL)
		s->notices.due |= NOTICE_KEEPALIVE;
	arm(s);
	if (!is_blocked && s->notices.due & (NOTICE_END | NOTICE_KEEPALIVE))
		owner->wake(owner->cookie, s);
}

static struct stream_start *
start_new(const struct request *r, const struct responder_config *config)
{
	struct stream_start *start = calloc(1, sizeof(*start));

	if (start == NULL)
		return NULL;
	start->seek.start = r->start;
	start->seek.value = start->value = r->value;
	start->greeting.retry_ms = config->retry_ms;
	(void)cors_write(&config->cors, r->origin, start->greeting.headers);
	(void)snprintf(start->greeting.hello, sizeof(start->greeting.hello),
	    "%.*s", (int)r->hello.len, r->hello.len > 0 ? r->hello.bytes : "");
	return start;
}

struct stream *
stream_new(struct connection *c, const struct request *r, struct feed *feed,
    const struct stream_owner *owner)
{
	const struct responder_config *config = owner->config;
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->start = start_new(r, config)) == NULL) {
		free(s);
		return NULL;
	}
	s->place.stream = s;
	s->owner = owner;
	s->connection = c;
	s->feed = feed;
	s->notices = (struct notices){ .due = NOTICE_START,
		.greeting = &s->start->greeting,
		.end_ms = -1 };
	timer_init(&s->timer, connection_loop(c), s);
	s->ends_ms = now_ms(s) + jittered(config->max_age_ms);
	arm(s);
	connection_set_user(c, s);
	return s;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;

	free(s->start);
	free(s);
}

void
stream_free(struct stream *s)
{
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

void
stream_on_writable(void *user)
{
	struct stream *s = user;

	s->owner->wake(s->owner->cookie, s);
}

void
stream_on_gone(void *user)
{
	struct stream *s = user;

	s->owner->over(s->owner->cookie, s);
}

struct feed *
stream_feed(const struct stream *s)
{
	return s->feed;
}

struct place *
stream_place(struct stream *s)
{
	return &s->place;
}

/* ---- events ---- */

/*
 * Look for events that this client misses because they were removed.  That may
 * take as long as reading a page, so do it again only after a commit: the
 * cursor only moves forward.
 */
static enum source_result
check_gap(struct stream *s)
{
	enum source_result result;
	uint64_t version;
	int64_t next;

	/* first: a commit between this and the search causes another one */
	if (source_version(s->owner->source, &version) != SOURCE_OK)
		return SOURCE_TROUBLE;
	if (!s->must_check && version == s->checked)
		return SOURCE_OK;
	result = source_gap(s->owner->source, s->feed->filter, s->at.cursor,
	    &s->known, &next);
	if (result == SOURCE_TROUBLE)
		return result;
	s->must_check = false;
	s->checked = version;
	if (result == SOURCE_OK) {
		s->notices.gap_after = s->at.cursor;
		s->notices.gap_next = next;
		s->notices.due |= NOTICE_GAP;
	}
	return SOURCE_OK;
}

static enum batch_result
gather(struct stream *s, struct batch *b)
{
	const struct chunk *c = NULL;
	enum source_result result;
	bool is_old = false;

	batch_begin(b, &s->at);
	if (s->at.part == 0 && s->start == NULL &&
	    s->notices.due & NOTICE_END) {
		/* these do not need the log; the others can be sent after the
		   reconnection */
		s->notices.due &= NOTICE_END | NOTICE_RESET;
		notice_write(&s->notices, b);
		return BATCH_ALL;
	}
	result = source_chunk(s->owner->source, s->feed->filter, s->at.cursor,
	    s->at.part, &c, &is_old);
	if (result == SOURCE_TROUBLE) {
		/* its end must not wait for the rest of the event */
		bool is_over = s->at.part > 0 && s->notices.due & NOTICE_END;

		return is_over ? BATCH_BROKEN : BATCH_TROUBLE;
	}
	/* after reading: rows removed from now on have been read */
	if ((is_old || s->must_check) && s->at.part == 0 &&
	    check_gap(s) != SOURCE_OK)
		return BATCH_TROUBLE;
	if (s->at.part == 0) /* not within an event */
		notice_write(&s->notices, b);
	if (c == NULL && b->at.part > 0)
		return BATCH_BROKEN;
	if (c == NULL || b->notices & NOTICE_END)
		return BATCH_ALL;
	return batch_add_events(b, s->feed->filter, c);
}

/* ---- turns ---- */

/* Look for the place to start at. */
static enum source_result
find_start(struct stream *s)
{
	struct stream_start *start = s->start;
	enum source_result result;

	result = source_find(s->owner->source, s->feed->filter, &start->seek);
	if (result == SOURCE_END || result == SOURCE_TROUBLE)
		return result;
	s->at.cursor = s->at.last_id = start->seek.cursor;
	s->known = start->seek.known;
	s->must_check = start->seek.start == START_AFTER ||
	    start->seek.start == START_SINCE;
	start->is_found = true;
	if (result == SOURCE_RESET) {
		s->notices.reset_after = start->seek.value;
		s->notices.due |= NOTICE_RESET;
	}
	return SOURCE_OK;
}

static void
commit(struct stream *s, const struct batch *b)
{
	s->at = b->at;
	s->notices.due &= ~b->notices;
	if (b->notices & NOTICE_START) {
		free(s->start);
		s->start = NULL;
		s->notices.greeting = NULL;
	}
}

/* Send a record.  An empty one only moves the cursor. */
static enum stream_turn
send_batch(struct stream *s, struct batch *b)
{
	enum connection_sent sent = CONNECTION_SENT;

	if (b->len > 0)
		sent = connection_send(s->connection, b->pieces, b->n, b->len);
	if (sent == CONNECTION_FAILED) {
		connection_abort(s->connection);
		return STREAM_OVER;
	}
	if (sent == CONNECTION_BLOCKED)
		return STREAM_FULL;
	commit(s, b);
	if (b->notices & NOTICE_END) {
		connection_end(s->connection);
		return STREAM_OVER;
	}
	return sent == CONNECTION_SENT ? STREAM_MORE : STREAM_FULL;
}

/* Send the rest of a record. */
static enum stream_turn
unblock(struct stream *s)
{
	switch (connection_continue(s->connection)) {
	case CONNECTION_SENT:
		return STREAM_MORE;
	case CONNECTION_BLOCKED:
		return STREAM_FULL;
	default:
		connection_abort(s->connection);
		return STREAM_OVER;
	}
}

/* The log cannot be read: a new client is asked to reconnect. */
static enum stream_turn
give_up_start(struct stream *s)
{
	struct batch b;

	batch_begin(&b, &s->at);
	notice_write_refusal(&s->notices, &b);
	return send_batch(s, &b);
}

static enum stream_turn
send_record(struct stream *s, size_t *bytes)
{
	enum batch_result gathered;
	enum stream_turn turn;
	struct batch b;

	gathered = gather(s, &b);
	if (gathered == BATCH_BROKEN) {
		/* the client discards the torn event and reconnects */
		connection_end(s->connection);
		return STREAM_OVER;
	}
	if (gathered == BATCH_TROUBLE)
		return s->start != NULL ? give_up_start(s) : STREAM_TROUBLE;
	turn = send_batch(s, &b);
	*bytes += b.len;
	if (turn == STREAM_MORE && gathered == BATCH_ALL)
		return STREAM_CAUGHT_UP;
	return turn;
}

enum stream_turn
stream_turn(struct stream *s, size_t *bytes)
{
	enum stream_turn turn;

	if (connection_is_blocked(s->connection)) {
		*bytes += RECORDS_CONTENT_MAX; /* at most */
		turn = unblock(s);
		if (turn != STREAM_MORE)
			return turn;
	}
	if (s->start != NULL && !s->start->is_found) {
		switch (find_start(s)) {
		case SOURCE_OK:
			break;
		case SOURCE_END:
			return STREAM_MORE;
		default:
			return give_up_start(s);
		}
	}
	return send_record(s, bytes);
}

enum stream_turn
stream_deliver(struct stream *s, struct iovec *pieces, int n, size_t len,
    int64_t before, int64_t last)
{
	switch (connection_send(s->connection, pieces, n, len)) {
	case CONNECTION_SENT:
		s->at.last_id = last;
		return STREAM_CAUGHT_UP;
	case CONNECTION_PARTLY:
		s->at.cursor = s->at.last_id = last;
		return STREAM_FULL;
	case CONNECTION_BLOCKED:
		s->at.cursor = before;
		return STREAM_FULL;
	default:
		connection_abort(s->connection);
		return STREAM_OVER;
	}
}

void
stream_pass(struct stream *s, int64_t cursor)
{
	s->at.cursor = cursor;
}

void
stream_rewind(struct stream *s, int64_t cursor)
{
	s->at.cursor = cursor;
	s->must_check = true;
}

void
stream_reset(struct stream *s, int64_t head)
{
	if (s->start != NULL) { /* nothing has been sent yet */
		s->start->is_found = false;
		s->start->seek.value = s->start->value;
		s->start->seek.upto = 0;
		s->notices.due &= ~(unsigned)(NOTICE_GAP | NOTICE_RESET);
		return;
	}
	if (s->at.part > 0) { /* the rest of the event is gone: break off */
		s->at.part_id = -1;
		return;
	}
	if (s->place.standing == STANDING_LIVE)
		s->at.cursor = s->at.last_id;
	if (!(s->notices.due & NOTICE_RESET)) /* else the last id is older */
		s->notices.reset_after = s->at.cursor;
	s->at.cursor = head;
	s->known = (struct gap_known){ 0 };
	s->notices.due &= ~(unsigned)NOTICE_GAP;
	s->notices.due |= NOTICE_RESET;
}

void
stream_end(struct stream *s, int64_t retry_ms)
{
	s->notices.end_ms = retry_ms;
	s->notices.due |= NOTICE_END;
}

void
stream_abort(struct stream *s)
{
	connection_abort(s->connection);
}
