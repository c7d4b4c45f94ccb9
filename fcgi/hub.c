/*
 * The responder: answers requests with streams or refusals, and ends them all.
 * Owns the parts that streams share: the source, the feeds, the roster, the
 * fan-out from new rows to streams, and the connections.
 */
#include "hub.h"

#include <stdlib.h>
#include <string.h>

#include "lib/form.h"
#include "lib/throttle.h"
#include "lib/warn.h"
#include "accept.h"
#include "fanout.h"
#include "reply.h"

#define SETTLE_MS 1500 /* within which an ending process exits */
#define RETRY_MS 5000  /* after which a refused client may try again */
#define RETRY_SPREAD 3 /* EventSource waits up to so many times as long */

struct hub {
	uv_loop_t *loop;
	const struct responder_config *config;
	struct source *source;
	struct feeds *feeds;
	struct roster *roster;
	struct fanout *fanout;
	struct connections *connections;
	struct stream_owner owner;
	bool is_ending;
	struct throttle full, memory; /* clients are refused for this reason */
	struct throttle ids;          /* few are left */
	struct {
		uint64_t streams; /* ever opened */
		uint64_t refused; /* requests answered with a problem */
		uint64_t full;    /* of these, for want of a place */
	} counters;
};

static void
on_wake(void *cookie, struct stream *s)
{
	struct hub *h = cookie;

	roster_wake(h->roster, s);
}

static void
on_over(void *cookie, struct stream *s)
{
	struct hub *h = cookie;

	roster_remove(h->roster, s);
}

static void
check_ids(struct hub *h)
{
	int64_t left = log_ids_left(source_head(h->source));

	if (left >= LOG_IDS_FEW)
		(void)throttle_clear(&h->ids);
	else if (throttle_raise(&h->ids, (int64_t)uv_now(h->loop)))
		warn_line("log: %s: only %lld ids are left: 'sqlite3 -bail"
			  " FILE <renumber.sql' gives new ones",
		    h->config->db, (long long)left);
}

bool
hub_look(struct hub *h)
{
	bool is_news = fanout_look(h->fanout);

	roster_retry(h->roster);
	check_ids(h);
	return is_news;
}

/* Check the file, too: a client may hold an id of a log that has just been put
   in its place. */
static void
look_closely(struct hub *h)
{
	source_recheck(h->source);
	(void)fanout_look(h->fanout);
}

/* Rows committed before a request are before "from now on".  One look serves
   all requests that have arrived by then. */
static void
on_arrivals(void *cookie)
{
	look_closely(cookie);
}

/* ---- requests ---- */

/* Send a response that is not a stream. */
static void
answer(struct connection *c, char *text, size_t len)
{
	struct iovec pieces[2] = { { NULL, 0 }, { text, len } };
	enum connection_sent sent = connection_send(c, pieces, 2, len);

	if (sent == CONNECTION_SENT || sent == CONNECTION_PARTLY)
		connection_end(c);
	else /* blocked: the response before this one is unread */
		connection_abort(c);
}

/* Clients that are refused or ended together reconnect one after the other. */
static int64_t
random_between(int64_t least, int64_t most)
{
	uint64_t random = 0;

	/* if it fails, they all reconnect at once, no worse */
	(void)uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
	return least + (int64_t)(random % (uint64_t)(most - least + 1));
}

static int64_t
full_retry_ms(const struct hub *h)
{
	int64_t least = h->config->retry_ms;

	if (least < RETRY_MS)
		least = RETRY_MS;
	return random_between(least, RETRY_SPREAD * least);
}

/* Late enough for the next process to be there. */
static int64_t
end_retry_ms(const struct hub *h)
{
	int64_t most = h->config->shutdown_retry_ms, least = most / 2;

	return random_between(least < SETTLE_MS ? least : SETTLE_MS, most);
}

/* Returns whether the request is that of EventSource, which has to send this
   header, or of a client that says so. */
static bool
is_event_source(const char *const *vars)
{
	const char *method = form_var(vars, "REQUEST_METHOD");
	const char *accept = form_var(vars, "HTTP_ACCEPT");

	return method != NULL && strcmp(method, "GET") == 0 && accept != NULL &&
	    accept_find(accept, "text", "event-stream") == ACCEPT_NAME;
}

static void
refuse(struct hub *h, struct connection *c, struct problem *p,
    const char *const *vars)
{
	const char *origin = form_var(vars, "HTTP_ORIGIN");
	const struct cors *cors = &h->config->cors;
	char text[REPLY_MAX];
	size_t len;

	h->counters.refused++;
	p->retry_s = p->status == 503 ? RETRY_MS / 1000 : 0;
	if (p->status == 503 && is_event_source(vars))
		len = reply_retry(cors, p, origin, full_retry_ms(h), text);
	else
		len = reply_problem(cors, p, origin, text);
	answer(c, text, len);
}

static void
refuse_full(struct hub *h, struct connection *c, const char *const *vars)
{
	size_t n = roster_count(h->roster);
	struct problem p;

	problem_set(&p, 503,
	    "No place is free: %zu streams are open,"
	    " which is the limit (--max-streams).  Try again later.",
	    n);
	h->counters.full++;
	if (throttle_raise(&h->full, (int64_t)uv_now(h->loop)))
		warn_line("hub: all %zu places are taken, so that clients are"
			  " refused; raise --max-streams and the limit of open"
			  " files",
		    n);
	refuse(h, c, &p, vars);
}

static void
refuse_memory(struct hub *h, struct connection *c, const char *const *vars)
{
	struct problem p;

	(void)problem_memory(&p); /* returns -1 */
	if (throttle_raise(&h->memory, (int64_t)uv_now(h->loop)))
		warn_line("hub: out of memory for a stream, so that clients"
			  " are refused");
	refuse(h, c, &p, vars);
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
	s = stream_new(c, r, feed, &h->owner);
	if (s == NULL) {
		feed_release(h->feeds, feed);
		return false;
	}
	h->counters.streams++;
	if (h->is_ending) /* after an error status it would not reconnect */
		stream_end(s, end_retry_ms(h));
	roster_add(h->roster, s);
	return true;
}

static void
get(struct hub *h, struct connection *c, struct request *r,
    const char *const *vars)
{
	if (roster_count(h->roster) >= h->config->max_streams) {
		refuse_full(h, c, vars);
	} else if (open_stream(h, c, r)) {
		(void)throttle_clear(&h->full);
		(void)throttle_clear(&h->memory);
	} else {
		refuse_memory(h, c, vars);
	}
}

static void
on_request(void *cookie, struct connection *c, const char *const *vars)
{
	struct hub *h = cookie;
	char text[REPLY_MAX];
	struct problem p;
	struct request r;

	if (request_parse(vars, &r, &p) != 0) {
		if (p.status == 503)
			refuse_memory(h, c, vars);
		else
			refuse(h, c, &p, vars);
		return;
	}
	if (r.method == REQUEST_GET)
		get(h, c, &r, vars);
	else
		answer(c, text, reply_head(&h->config->cors, &r, text));
	request_free(&r);
}

static const struct connection_handler connection_handler = {
	.request = on_request,
	.writable = stream_on_writable,
	.gone = stream_on_gone,
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
	h->loop = loop;
	h->config = config;
	h->owner = (struct stream_owner){ source, config, on_wake, on_over, h };
	h->feeds = feeds_new();
	if (h->feeds != NULL)
		h->roster = roster_new(loop, source, h->feeds, on_arrivals, h);
	if (h->roster != NULL)
		h->fanout = fanout_new(loop, source, h->feeds, h->roster);
	if (h->fanout != NULL)
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

	stream_abort(s);
	roster_remove(h->roster, s);
}

void
hub_free(struct hub *h)
{
	if (h == NULL)
		return;
	if (h->roster != NULL)
		roster_visit(h->roster, kill_one, h);
	connections_free(h->connections);
	fanout_free(h->fanout);
	if (h->roster != NULL)
		roster_free(h->roster);
	feeds_free(h->feeds);
	source_free(h->source);
	free(h);
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

	stream_end(s, end_retry_ms(h));
	roster_wake(h->roster, s);
}

void
hub_end(struct hub *h)
{
	h->is_ending = true;
	/* the log may just have been restored: the next process cannot find out
	   that these clients hold ids of another one */
	look_closely(h);
	roster_visit(h->roster, end_one, h);
}

void
hub_report(const struct hub *h)
{
	const struct fanout_counters *fanout = fanout_counters(h->fanout);

	warn_line("report: streams=%zu feeds=%zu connections=%zu head=%lld"
		  " opened=%llu refused=%llu full=%llu events=%llu sends=%llu"
		  " behind=%llu rows=%llu",
	    roster_count(h->roster), feeds_count(h->feeds),
	    connections_count(h->connections),
	    (long long)source_head(h->source),
	    (unsigned long long)h->counters.streams,
	    (unsigned long long)h->counters.refused,
	    (unsigned long long)h->counters.full,
	    (unsigned long long)fanout->events,
	    (unsigned long long)fanout->sends,
	    (unsigned long long)fanout->behind,
	    (unsigned long long)source_rows(h->source));
}
