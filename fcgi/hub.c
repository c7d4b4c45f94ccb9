/*
 * All streams of a process.
 *
 * A new event is read once, encoded once, and gathered by the feeds it matches;
 * each live stream of such a feed then gets one send with all that came.  A
 * stream whose socket is full, or that is behind, leaves the live ones and goes
 * on by itself from the source, a turn at a time, until it has caught up.
 */
#include "hub.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/fastcgi/records.h"
#include "lib/form.h"
#include "lib/loop/idle.h"
#include "lib/warn.h"
#include "feed.h"
#include "reply.h"
#include "roster.h"

#define LOOK_STEPS 8   /* records read at once when the log has grown */
#define SETTLE_MS 1500 /* by then a process that ends has gone */

struct hub {
	const struct responder_config *config;
	struct source *source;
	struct feeds *feeds;
	struct connections *connections;
	struct roster *roster;
	uv_idle_t growing; /* runs while there is more to read from the log */
	bool is_ending;
	struct {
		uint64_t streams; /* ever opened */
		uint64_t refused; /* requests answered with a problem */
		uint64_t full;    /* of these, for want of a place */
		uint64_t events;  /* seen in the log */
		uint64_t sends;   /* to live streams */
		uint64_t behind;  /* times that a live stream fell behind */
	} counters;
};

static void
on_wake(struct stream *s)
{
	struct hub *h = s->keeper;

	roster_turn(h->roster, s);
}

static void
on_over(struct stream *s)
{
	struct hub *h = s->keeper;

	roster_remove(h->roster, s);
}

static const struct stream_handler stream_handler = {
	.wake = on_wake,
	.over = on_over,
};

/* ---- from new rows to streams ---- */

/* Let the feeds gather what a step has found.  A feed that is out of memory
   becomes stale: its streams are served from the source. */
static void
offer(struct hub *h, const struct news *news)
{
	for (size_t i = 0; i < news->n_runs; i++) {
		const struct news_run *run = &news->runs[i];

		for (size_t at = run->from; at < run->to; at++)
			(void)feeds_offer(h->feeds, run->chunk, at);
		h->counters.events += run->to - run->from;
	}
	for (size_t i = 0; i < news->n_removed; i++)
		feeds_make_stale(h->feeds, news->removed[i]);
}

static void
fall_behind(struct hub *h, struct stream *s, int64_t cursor)
{
	stream_rewind(s, cursor);
	h->counters.behind++;
	roster_queue(h->roster, s);
}

/* Send what a feed has gathered to each of its live streams. */
static void
drain_feed(struct hub *h, struct feed *f, int64_t before)
{
	bool one_by_one = f->is_stale || f->len > RECORDS_CONTENT_MAX;

	feed_hold(f); /* its last stream may go */
	/* backwards: who leaves is replaced by the last */
	for (size_t i = f->n_live; i-- > 0;) {
		struct stream *s = f->live[i];
		enum stream_turn turn;

		if (one_by_one) {
			fall_behind(h, s, before);
			continue;
		}
		turn = stream_deliver(s, f->pieces, (int)f->n_pieces, f->len,
		    before, f->last);
		h->counters.sends++;
		if (turn == STREAM_FULL)
			h->counters.behind++;
		roster_settle(h->roster, s, turn);
	}
	feed_clear(f);
	feed_release(h->feeds, f);
}

static void
reset_one(void *cookie, struct stream *s)
{
	struct hub *h = cookie;

	if (s->place == STREAM_LIVE)
		s->cursor = s->told;
	stream_reset(s, source_head(h->source));
	if (s->place == STREAM_LIVE || s->place == STREAM_STUCK)
		roster_queue(h->roster, s);
}

/* One step; false when the end of the log is reached. */
static bool
step(struct hub *h)
{
	const struct news *news;
	int64_t before = source_head(h->source);
	enum source_result result = source_step(h->source, &news);
	struct feed *f;

	if (result == SOURCE_RESET)
		roster_visit(h->roster, reset_one, h);
	if (result == SOURCE_OK || result == SOURCE_END)
		offer(h, news);
	while ((f = feeds_next_dirty(h->feeds)) != NULL)
		drain_feed(h, f, before);
	return result == SOURCE_OK || result == SOURCE_RESET;
}

static void on_growing(uv_idle_t *idle);

/*
 * Some steps now, the rest between other work of the loop: a million rows in
 * one transaction are not to hold up anybody.
 */
static void
grow(struct hub *h, int steps)
{
	bool is_more = true;

	for (int i = 0; i < steps && is_more; i++)
		is_more = step(h);
	if (is_more)
		idle_start(&h->growing, on_growing);
	else
		idle_stop(&h->growing);
}

static void
on_growing(uv_idle_t *idle)
{
	grow(idle->data, 1);
}

bool
hub_look(struct hub *h)
{
	int64_t before = source_head(h->source);

	grow(h, LOOK_STEPS);
	return source_head(h->source) != before;
}

void
hub_retry(struct hub *h)
{
	roster_retry(h->roster);
}

/* ---- requests ---- */

/* A response that ends with its headers, or that refuses. */
static void
answer(struct connection *c, char *text, size_t len)
{
	struct iovec pieces[2] = { { NULL, 0 }, { text, len } };

	switch (connection_send(c, pieces, 2, len)) {
	case CONNECTION_SENT:
	case CONNECTION_PARTLY:
		connection_end(c);
		break;
	case CONNECTION_BLOCKED: /* an unread response before this one */
	case CONNECTION_FAILED:
		connection_abort(c);
		break;
	}
}

static void
refuse(struct hub *h, struct connection *c, const struct problem *p,
    const char *origin)
{
	char text[REPLY_MAX];

	h->counters.refused++;
	answer(c, text, reply_problem(&h->config->cors, p, origin, text));
}

/* Different for each client, so that they do not all return at once; and not
   before the next process is there. */
static int64_t
random_retry_ms(const struct hub *h)
{
	int64_t most = h->config->shutdown_retry_ms, least = most / 2;
	uint64_t random = 0;

	if (least > SETTLE_MS)
		least = SETTLE_MS;
	/* without it they all return at once: no more than that */
	(void)uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
	return least + (int64_t)(random % (uint64_t)(most - least + 1));
}

/* Open a stream; false if there is no memory for it. */
static bool
open_stream(struct hub *h, struct connection *c, struct request *r)
{
	struct feed *feed = feed_take(h->feeds, r->filter);
	struct stream *s;

	if (feed == NULL)
		return false;
	r->filter = NULL; /* the feed has it */
	s = stream_new(c, r, feed, h->source, h->config, &stream_handler);
	if (s == NULL) {
		feed_release(h->feeds, feed);
		return false;
	}
	s->feed = feed;
	s->keeper = h;
	connection_set_user(c, s);
	roster_add(h->roster, s);
	h->counters.streams++;
	if (h->is_ending) /* any error status would end all trying */
		stream_end(s, random_retry_ms(h));
	/* what is in the log now comes before what this client may ask for */
	source_recheck(h->source);
	(void)hub_look(h);
	roster_turn(h->roster, s);
	return true;
}

static void
get(struct hub *h, struct connection *c, struct request *r)
{
	struct problem p;

	if (roster_count(h->roster) >= h->config->max_streams) {
		problem_set(&p, 503,
		    "No place is free: %zu streams are open,"
		    " which is the limit (--max-streams).  Try again later.",
		    roster_count(h->roster));
		p.retry_s = 5;
		h->counters.full++;
	} else if (open_stream(h, c, r)) {
		return;
	} else {
		problem_set(&p, 503, "Out of memory.  Try again later.");
		p.retry_s = 5;
	}
	refuse(h, c, &p, r->origin);
}

static void
on_request(void *cookie, struct connection *c, const char *const *vars)
{
	struct hub *h = cookie;
	char text[REPLY_MAX];
	struct problem p;
	struct request r;

	if (request_parse(vars, &r, &p) != 0) {
		refuse(h, c, &p, form_var(vars, "HTTP_ORIGIN"));
		return;
	}
	if (r.method == REQUEST_GET)
		get(h, c, &r);
	else
		answer(c, text, reply_head(&h->config->cors, &r, text));
	request_free(&r);
}

static void
on_writable(void *user)
{
	on_wake(user);
}

static void
on_gone(void *user)
{
	on_over(user);
}

static const struct connection_handler connection_handler = {
	.request = on_request,
	.writable = on_writable,
	.gone = on_gone,
};

int
hub_serve_cgi(struct hub *h, int fd, const char *const *vars)
{
	struct connection *c = connection_open_cgi(h->connections, fd);

	if (c == NULL)
		return -1;
	on_request(h, c, vars);
	return 0;
}

/* ---- as a whole ---- */

struct hub *
hub_new(uv_loop_t *loop, const struct responder_config *config,
    struct source *source)
{
	struct hub *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	idle_init(&h->growing, loop, h);
	h->config = config;
	h->feeds = feeds_new();
	if (h->feeds != NULL)
		h->roster = roster_new(loop, h->feeds, source);
	if (h->roster != NULL)
		h->connections = connections_new(loop, &connection_handler, h,
		    config->request_timeout_ms);
	if (h->connections == NULL) {
		hub_free(h);
		return NULL;
	}
	h->source = source;
	return h;
}

static void
kill_one(void *cookie, struct stream *s)
{
	struct hub *h = cookie;

	connection_abort(s->connection);
	roster_remove(h->roster, s);
}

static void
on_growing_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
hub_free(struct hub *h)
{
	if (h == NULL)
		return;
	if (h->roster != NULL)
		roster_visit(h->roster, kill_one, h);
	connections_free(h->connections);
	if (h->roster != NULL)
		roster_free(h->roster);
	feeds_free(h->feeds);
	source_free(h->source);
	uv_close((uv_handle_t *)&h->growing, on_growing_closed);
}

struct connections *
hub_connections(struct hub *h)
{
	return h->connections;
}

static void
end_one(void *cookie, struct stream *s)
{
	struct hub *h = cookie;

	stream_end(s, random_retry_ms(h));
	roster_turn(h->roster, s);
}

void
hub_end(struct hub *h)
{
	h->is_ending = true;
	/* the log may just have been restored: the next process knows nothing of
	   the one that these clients have seen */
	source_recheck(h->source);
	(void)hub_look(h);
	roster_visit(h->roster, end_one, h);
}

void
hub_report(const struct hub *h)
{
	warn_line("report: streams=%zu feeds=%zu connections=%zu head=%lld"
		  " opened=%llu refused=%llu full=%llu events=%llu sends=%llu"
		  " behind=%llu rows=%llu",
	    roster_count(h->roster), feeds_count(h->feeds),
	    connections_count(h->connections),
	    (long long)source_head(h->source),
	    (unsigned long long)h->counters.streams,
	    (unsigned long long)h->counters.refused,
	    (unsigned long long)h->counters.full,
	    (unsigned long long)h->counters.events,
	    (unsigned long long)h->counters.sends,
	    (unsigned long long)h->counters.behind,
	    (unsigned long long)source_rows(h->source));
}
