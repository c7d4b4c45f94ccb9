/*
 * The responder whole, from the accepted socket to the log: hub, streams,
 * connections, libfcgi, source, in a world where time stands still.
 *
 * The input is a list of operations: web servers connect, ask, talk nonsense,
 * send and read in parts, leave; rows are added, removed, the log is restored;
 * time passes; the program ends.  Holds if libfcgi never aborts; each right
 * request is answered, in whole records; each stream has what reader.c says it
 * must have; each connection ends, and nothing is left behind.
 *
 * Options: -len_control=0 -max_len=800 -detect_leaks=0
 * Covers: fcgi/hub.c fcgi/fanout.c fcgi/stream.c fcgi/notice.c fcgi/roster.c
 * Covers: fcgi/source.c fcgi/news.c fcgi/reply.c
 * Covers: lib/fastcgi/connection.c lib/fastcgi/connections.c
 * Covers: lib/fastcgi/deadlines.c lib/fastcgi/requests.c
 */
#include "fuzz.h"

#include "fcgi/hub.h"
#include "lib/fastcgi/libfcgi.h"
#include "peer.h"
#include "reader.h"
#include "scratch.h"
#include "world.h"

#define SLOTS 6
#define ROUNDS_MAX 20000 /* to send all there is, 9 KB in each */
#define OPERATIONS_MAX 250
#define PATIENCE_MS 4000 /* who asks for longer is cut off */
#define CREATED_MS 1600000000000

/* A web server's connection, and the browser behind it. */
struct slot {
	struct peer peer;
	struct reader reader;
};

struct world {
	struct choices choices;
	struct history history;
	struct slot slots[SLOTS];
	uv_loop_t loop;
	struct hub *hub;
	bool is_ending;
	int64_t passed_ms;
};

static struct responder_config config = {
	.keepalive_ms = 15000,
	.retry_ms = 3000,
	.max_age_ms = 3600000,
	.stall_ms = 60000,
	.request_timeout_ms = 5000,
	.poll_ms = 100,
	.shutdown_retry_ms = 5000,
	.max_streams = 4,
	.cors = { .origins = { { "https://a.example", 17 } },
	    .n_origins = 1,
	    .is_any = true },
};

/* ---- requests ---- */

/* The topics and names of a wish, as a query; what a query cannot say is made
   to mean what it says. */
static void
write_query(struct wish *w, char *out, size_t size)
{
	size_t len = (size_t)snprintf(out, size, "x=%%20");

	for (size_t i = 0; i < w->n_patterns; i++) {
		struct pattern *p = &w->patterns[i];

		if (p->text.len > 0 && p->text.bytes[p->text.len - 1] == '*') {
			p->is_prefix = true;
			p->text.len--;
		}
		len += (size_t)snprintf(out + len, size - len, "&topic=%.*s%s",
		    (int)p->text.len, p->text.bytes, p->is_prefix ? "*" : "");
	}
	for (size_t i = 0; i < w->n_names; i++) {
		if (w->names[i].len == 0)
			w->names[i] = wish_names[1];
		len += (size_t)snprintf(out + len, size - len, "&event=%.*s",
		    (int)w->names[i].len, w->names[i].bytes);
	}
}

static void
choose_start(struct world *w, struct reader *r, char *out, size_t size)
{
	struct choices *c = &w->choices;
	const char *name = choose(c, 2) == 0 ? "since" : "last_event_id";
	int64_t head = w->history.head[w->history.epoch];

	switch (choose(c, 8)) {
	case 0:
		r->start = START_EARLIEST;
		(void)snprintf(out, size, "&%s=earliest", name);
		break;
	case 1:
		r->start = START_LAST;
		(void)snprintf(out, size, "&%s=last:%zu", name,
		    1 + choose(c, 9));
		break;
	case 2:
	case 3:
		r->start = START_AFTER;
		(void)snprintf(out, size, "&%s=%zu", name,
		    choose(c, 255) % ((size_t)head + 1));
		break;
	case 4:
		r->start = START_SINCE;
		(void)snprintf(out, size, "&%s=2020-09-13T12:26:%02zuZ", name,
		    40 + choose(c, 20));
		break;
	default:
		r->start = START_NOW;
		out[0] = '\0';
		break;
	}
}

static void
ask_for_stream(struct world *w, struct slot *s)
{
	char query[400] = "QUERY_STRING=";
	const char *vars[] = { "REQUEST_METHOD=GET", query,
		"HTTP_ACCEPT=text/event-stream", NULL };
	struct choices *c = &w->choices;
	size_t len = strlen(query);

	reader_begin(&s->reader, &w->history, true);
	choose_wish(c, &s->reader.wish);
	write_query(&s->reader.wish, query + len, sizeof(query) - len);
	len = strlen(query);
	choose_start(w, &s->reader, query + len, sizeof(query) - len);
	s->reader.has_hello = choose(c, 4) == 3;
	if (s->reader.has_hello)
		(void)strncat(query, "&hello=hi",
		    sizeof(query) - strlen(query) - 1);
	peer_ask(&s->peer, c, vars);
}

/* Something that is not a stream, or not right. */
static void
ask_for_else(struct world *w, struct slot *s)
{
	static const char *const methods[] = { "REQUEST_METHOD=HEAD",
		"REQUEST_METHOD=OPTIONS", "REQUEST_METHOD=POST", "A=" };
	static const char *const more[] = { "HTTP_ORIGIN=https://a.example",
		"HTTP_ORIGIN=https://b.example", "HTTP_ACCEPT=text/html" };
	struct choices *c = &w->choices;
	char query[80];
	const char *vars[] = { methods[choose(c, 4)], query, more[choose(c, 3)],
		NULL };
	struct text t = choose_text(c, 40);
	bool has_nul = t.len > 0 && memchr(t.bytes, '\0', t.len) != NULL;

	(void)snprintf(query, sizeof(query), "QUERY_STRING=%.*s",
	    has_nul ? 0 : (int)t.len, t.len > 0 ? t.bytes : "");
	reader_begin(&s->reader, &w->history, false);
	peer_ask(&s->peer, c, vars);
}

static void
ask(struct world *w, struct slot *s)
{
	/* a connection that was kept is closed at the end */
	if (!peer_is_free(&s->peer) || (w->is_ending && s->peer.is_ended))
		return;
	if (choose(&w->choices, 4) < 3)
		ask_for_stream(w, s);
	else
		ask_for_else(w, s);
	peer_body(&s->peer, &w->choices,
	    choose_text(&w->choices, choose(&w->choices, 8) == 7 ? 40 : 0),
	    true);
}

static void
connect_slot(struct world *w, struct slot *s)
{
	static const int rooms[] = { 0, 4608, 20000, 200000 };

	if (s->peer.fd >= 0)
		return;
	require(connection_open(hub_connections(w->hub),
		    peer_open(&s->peer, rooms[choose(&w->choices, 4)])) == 0);
}

/* ---- what comes back ---- */

static void
on_content(void *cookie, const char *bytes, size_t len)
{
	struct slot *s = cookie;

	if (s->peer.is_clean)
		reader_take(&s->reader, bytes, len);
}

static void
on_end(void *cookie)
{
	struct slot *s = cookie;

	if (s->peer.is_clean && !s->peer.has_aborted)
		require(s->reader.has_head);
}

static void
receive(struct slot *s, size_t max)
{
	static const struct peer_handler handler = { on_content, on_end };

	peer_receive(&s->peer, max, &handler, s);
}

/* ---- the log ---- */

static void
add_rows(struct world *w)
{
	static const size_t sizes[] = { 0, 0, 1, 10, 100, 1000, 20000, 66000 };
	struct history *h = &w->history;
	struct choices *c = &w->choices;
	int epoch = h->epoch;

	scratch_begin();
	for (size_t n = 1 + choose(c, 6); n > 0; n--) {
		struct past *p = &h->rows[epoch][h->n[epoch]];
		struct event e;

		if (h->n[epoch] == HISTORY_MAX)
			break;
		h->n[epoch]++;
		p->id = ++h->head[epoch];
		p->event = (struct event){ .id = p->id,
			.topic = choose_name(c),
			.name = wish_names[6 - choose(c, 2) * 5],
			.retry_ms = EVENT_NO_RETRY };
		p->event.data.len = sizes[choose(c, 8)];
		e = p->event;
		e.data = history_data(epoch, p->id, e.data.len);
		scratch_insert(&e, CREATED_MS + p->id * 1000);
	}
	scratch_commit();
}

static void
remove_rows(struct world *w)
{
	struct history *h = &w->history;
	struct past *rows = h->rows[h->epoch];
	size_t n = h->n[h->epoch], run = 1 + choose(&w->choices, 12);
	size_t first = choose(&w->choices, HISTORY_MAX);

	first = n > 0 ? first % n : 0;
	scratch_begin();
	for (size_t i = first; i < n && i < first + run; i++)
		if (rows[i].removed_at == 0) {
			rows[i].removed_at = h->now;
			scratch_remove(rows[i].id);
		}
	scratch_commit();
}

/* Who has asked is heard; who is still asking, or has not begun, may be cut
   off. */
static void
settle(struct world *w)
{
	world_run(&w->loop);
	for (size_t i = 0; i < SLOTS; i++) {
		struct peer *p = &w->slots[i].peer;

		if (p->todo_at < p->todo_len || !p->is_asking)
			p->is_clean = false;
	}
}

/* Another log takes the place of this one, with fewer rows, or none. */
static void
restore(struct world *w)
{
	struct history *h = &w->history;

	if (h->epoch > 0)
		return;
	settle(w); /* who has asked, has asked of the first one */
	(void)scratch_log();
	scratch_sql("UPDATE events_log SET identity = 'another'");
	h->epoch = 1;
	if (choose(&w->choices, 2) == 0)
		add_rows(w);
	(void)hub_look(w->hub);
}

/* ---- operations ---- */

static void
pass_time(struct world *w)
{
	static const int64_t ms[] = { 1, 60, 600, 4000, 16000, 61000, 4400000 };
	size_t which = choose(&w->choices, 7);

	w->passed_ms += ms[which];
	world_pass_ms(ms[which]);
	world_run(&w->loop);
}

/* Who has asked is heard at once, so that it is known what was gone before. */
static void
send_some(struct world *w, struct slot *s, size_t max)
{
	if (s->peer.todo_at == s->peer.todo_len)
		return;
	peer_send(&s->peer, max);
	if (s->peer.todo_at < s->peer.todo_len)
		return;
	s->reader.asked_at = w->history.now;
	world_run(&w->loop);
}

static void
operate(struct world *w)
{
	struct choices *c = &w->choices;
	struct slot *s = &w->slots[choose(c, SLOTS)];

	switch (choose(c, 16)) {
	case 0:
	case 1:
		add_rows(w);
		(void)hub_look(w->hub);
		break;
	case 2:
		add_rows(w);
		break;
	case 3:
	case 4: /* all at once, as it mostly is */
		connect_slot(w, s);
		ask(w, s);
		send_some(w, s, PEER_TODO_MAX);
		break;
	case 5:
		connect_slot(w, s);
		ask(w, s);
		break;
	case 6:
		connect_slot(w, s);
		peer_babble(&s->peer, c);
		break;
	case 7:
		send_some(w, s, 1 + choose(c, 64));
		break;
	case 8:
		receive(s, (size_t)1 << choose(c, 18));
		break;
	case 9:
		peer_close(&s->peer);
		break;
	case 10:
		pass_time(w);
		break;
	case 11:
		(void)hub_look(w->hub);
		break;
	case 12:
		remove_rows(w);
		break;
	case 13:
		if (choose(c, 4) == 3)
			restore(w);
		break;
	case 14:
		if (choose(c, 8) == 7 && !w->is_ending) {
			w->is_ending = true;
			settle(w);
			connections_close_idle(hub_connections(w->hub));
			hub_end(w->hub);
		}
		break;
	default:
		break;
	}
	if (choose(c, 2) == 0)
		world_run(&w->loop);
}

/* ---- the end ---- */

static void
flush(struct world *w)
{
	for (int i = 0; i < ROUNDS_MAX; i++) {
		size_t before = 0, after = 0;

		for (size_t k = 0; k < SLOTS; k++) {
			before += w->slots[k].peer.moved;
			send_some(w, &w->slots[k], PEER_TODO_MAX);
		}
		world_run(&w->loop);
		for (size_t k = 0; k < SLOTS; k++) {
			receive(&w->slots[k], SIZE_MAX);
			after += w->slots[k].peer.moved;
		}
		if (before == after && i > 4)
			return;
	}
	require(false); /* it never comes to rest */
}

static bool
is_trusted(const struct world *w, const struct peer *p)
{
	return p->fd >= 0 && p->is_clean && !p->has_aborted &&
	    w->passed_ms < PATIENCE_MS;
}

static void
end(struct world *w)
{
	world_pass_ms(600); /* what was removed is not in memory any more */
	(void)hub_look(w->hub);
	flush(w);
	for (size_t i = 0; i < SLOTS; i++)
		if (is_trusted(w, &w->slots[i].peer) && !w->is_ending &&
		    w->slots[i].peer.is_asking)
			reader_check_all(&w->slots[i].reader);
	connections_close_idle(hub_connections(w->hub));
	hub_end(w->hub);
	flush(w);
	for (size_t i = 0; i < SLOTS; i++)
		if (is_trusted(w, &w->slots[i].peer))
			require(!w->slots[i].peer.is_asking);
	hub_free(w->hub);
	flush(w);
	for (size_t i = 0; i < SLOTS; i++) {
		struct peer *p = &w->slots[i].peer;

		require(p->fd < 0 || p->is_closed);
		peer_close(p);
		reader_end(&w->slots[i].reader);
	}
	world_end(&w->loop);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t tails[] = { 0, 100000, 1000000, 67108864 };
	static bool is_ready;
	static struct world w;
	char why[SOURCE_WHY_MAX];
	struct source *source;

	require(is_ready || libfcgi_init() == 0);
	is_ready = true;
	memset(&w, 0, sizeof(w));
	w.choices = (struct choices){ data, size };
	config.db = scratch_log();
	config.tail_bytes = tails[choose(&w.choices, 4)];
	config.replay_bytes = tails[choose(&w.choices, 4)];
	require(uv_loop_init(&w.loop) == 0);
	source = source_new(&config, why);
	require(source != NULL);
	w.hub = hub_new(&w.loop, &config, source);
	require(w.hub != NULL);
	for (size_t i = 0; i < SLOTS; i++) {
		w.slots[i].peer.fd = -1;
		w.slots[i].reader.retry_ms = config.retry_ms;
	}
	for (int i = 0; i < OPERATIONS_MAX && w.choices.len > 0; i++) {
		w.history.now++;
		operate(&w);
	}
	end(&w);
	return 0;
}
