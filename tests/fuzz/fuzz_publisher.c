/*
 * The publisher whole, from the accepted socket to the log: requests, bodies as
 * they come, groups, connections, libfcgi, in a world where time stands still.
 *
 * The input is a list of operations: web servers connect, publish in any of the
 * forms there are, talk nonsense, send and read in parts, leave; others write
 * to the log for a while; time passes; the program ends.  Each event holds a
 * number.  Holds if libfcgi never aborts; each right request is answered; what
 * was said to be stored is in the log once, and what was refused is not; each
 * connection ends, and nothing is left behind.
 *
 * Options: -len_control=0 -max_len=800 -detect_leaks=0
 * Covers: cgi/client.c cgi/commit.c cgi/group.c lib/fastcgi/bodies.c
 * Covers: lib/fastcgi/connection.c lib/fastcgi/connections.c
 * Covers: lib/fastcgi/deadlines.c lib/fastcgi/requests.c
 */
#include "fuzz.h"

#include "cgi/client.h"
#include "lib/fastcgi/libfcgi.h"
#include "lib/log/log.h"
#include "peer.h"
#include "scratch.h"
#include "world.h"

#define SLOTS 6
#define ROUNDS_MAX 20000 /* to send all there is, 9 KB in each */
#define PATIENCE_MS 4000 /* who asks for longer is cut off */
#define OPERATIONS_MAX 200
#define REQUESTS_MAX 250
#define EVENTS_MAX 4 /* of one request */

/* What became of a request. */
struct sent {
	size_t n;
	bool is_streamed; /* some of it may be stored */
	bool is_clean;
	int status; /* of the answer; 0: none was read */
};

struct slot {
	struct peer peer;
	size_t request;
	char head[16];
	size_t head_len;
};

struct world {
	struct choices choices;
	struct slot slots[SLOTS];
	uv_loop_t loop;
	struct clients clients;
	struct sent sent[REQUESTS_MAX];
	size_t n_sent;
	unsigned stored[REQUESTS_MAX][EVENTS_MAX];
	bool is_locked; /* others are writing */
	int64_t passed_ms;
};

static struct publisher_config config = {
	.max_body_bytes = 2000,
	.busy_ms = 5000,
	.idle_ms = 60000,
	.token = "secret",
};

/* ---- requests ---- */

static const struct {
	const char *type, *begin, *before, *after, *between, *end;
	bool is_streamed, is_one;
} forms[] = {
	{ "application/json", "", "{\"data\":\"", "\",\"topic\":\"t\"}", "", "",
	    false, true },
	{ "application/json", "[", "{\"data\":\"", "\"}", ",", "]", false,
	    false },
	{ "application/x-www-form-urlencoded", "topic=a%20b&", "data=", "", "",
	    "&event=x", false, true },
	{ "text/plain", "", "", "", "", "", false, true },
	{ "application/x-ndjson", "", "{\"data\":\"", "\"}", "\n", "\n", true,
	    false },
	{ "text/event-stream", ":\n\n", "event: x\ndata: ", "\n\n", "", "",
	    true, false },
};

/* The data of an event, that no other one turns into. */
static unsigned
seal(size_t request, size_t i)
{
	return (unsigned)(request * EVENTS_MAX + i + 1) * 2654435761U;
}

/* Put a request's body together; returns how many events are in it. */
static size_t
write_body(struct world *w, size_t form, char *out, size_t size)
{
	size_t n = forms[form].is_one ? 1 : 1 + choose(&w->choices, EVENTS_MAX);
	size_t len = (size_t)snprintf(out, size, "%s", forms[form].begin);

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, size - len,
		    "%s%s%zu-%zu-%08x%s", i > 0 ? forms[form].between : "",
		    forms[form].before, w->n_sent, i, seal(w->n_sent, i),
		    forms[form].after);
	(void)snprintf(out + len, size - len, "%s", forms[form].end);
	return n;
}

static void
ask(struct world *w, struct slot *s)
{
	struct choices *c = &w->choices;
	size_t form = choose(c, 6);
	char body[600], type[60], length[40];
	const char *vars[] = { "REQUEST_METHOD=POST", type,
		"HTTP_AUTHORIZATION=Bearer secret", length, NULL };
	size_t kind = choose(c, 16);

	if (!peer_is_free(&s->peer) || w->n_sent == REQUESTS_MAX)
		return;
	w->sent[w->n_sent] = (struct sent){
		.n = write_body(w, form, body, sizeof(body)),
		.is_streamed = forms[form].is_streamed,
		.is_clean = true,
	};
	(void)snprintf(type, sizeof(type), "CONTENT_TYPE=%s", forms[form].type);
	(void)snprintf(length, sizeof(length), "CONTENT_LENGTH=%zu",
	    strlen(body) + (kind == 8 ? 1 : 0));
	if (kind == 9)
		vars[2] = "HTTP_AUTHORIZATION=Bearer secrets";
	if (kind == 10)
		vars[0] = "REQUEST_METHOD=GET";
	if (kind == 11)
		vars[0] = "REQUEST_METHOD=OPTIONS";
	if (kind == 12 || forms[form].is_streamed)
		vars[3] = NULL;
	if (kind == 13) { /* not what it says it is */
		(void)snprintf(type, sizeof(type), "CONTENT_TYPE=%s",
		    forms[choose(c, 6)].type);
		w->sent[w->n_sent].is_clean = false;
	}
	if (kind > 13) /* refused at its end */
		(void)strncat(body, "\n{", sizeof(body) - strlen(body) - 1);
	s->request = w->n_sent++;
	s->head_len = 0;
	peer_ask(&s->peer, c, vars);
	peer_body(&s->peer, c, (struct text){ body, strlen(body) },
	    choose(c, 8) != 7);
}

static void
babble(struct world *w, struct slot *s)
{
	peer_babble(&s->peer, &w->choices);
	if (!s->peer.is_clean && s->request < w->n_sent)
		w->sent[s->request].is_clean = false;
}

static void
connect_slot(struct world *w, struct slot *s)
{
	static const int rooms[] = { 0, 4608 };

	if (s->peer.fd >= 0)
		return;
	s->request = REQUESTS_MAX;
	require(connection_open(w->clients.connections,
		    peer_open(&s->peer, rooms[choose(&w->choices, 2)])) == 0);
}

/* ---- what comes back ---- */

static void
on_content(void *cookie, const char *bytes, size_t len)
{
	struct slot *s = cookie;

	while (len-- > 0 && s->head_len < sizeof(s->head) - 1)
		s->head[s->head_len++] = *bytes++;
}

static void
on_end(void *cookie)
{
	struct slot *s = cookie;

	if (!s->peer.is_clean || s->peer.has_aborted)
		return;
	require(s->head_len > 12 && memcmp(s->head, "Status: ", 8) == 0);
}

static void
receive(struct world *w, struct slot *s, size_t max)
{
	static const struct peer_handler handler = { on_content, on_end };

	peer_receive(&s->peer, max, &handler, s);
	if (s->peer.is_clean && s->request < w->n_sent && s->head_len >= 11)
		w->sent[s->request].status = (s->head[8] - '0') * 100 +
		    (s->head[9] - '0') * 10 + (s->head[10] - '0');
}

/* ---- operations ---- */

static void
lock(struct world *w, bool is_locked)
{
	if (w->is_locked != is_locked)
		scratch_sql(is_locked ? "BEGIN IMMEDIATE" : "COMMIT");
	w->is_locked = is_locked;
}

static void
pass_time(struct world *w)
{
	static const int64_t ms[] = { 1, 3, 200, 1100, 5100, 61000 };
	size_t which = choose(&w->choices, 6);

	w->passed_ms += ms[which];
	world_pass_ms(ms[which]);
	world_run(&w->loop);
}

static void
operate(struct world *w)
{
	struct choices *c = &w->choices;
	struct slot *s = &w->slots[choose(c, SLOTS)];

	switch (choose(c, 12)) {
	case 0:
	case 1:
	case 2: /* all at once, as it mostly is */
		connect_slot(w, s);
		ask(w, s);
		peer_send(&s->peer, PEER_TODO_MAX);
		break;
	case 3:
		connect_slot(w, s);
		ask(w, s);
		break;
	case 4:
		connect_slot(w, s);
		babble(w, s);
		break;
	case 5:
	case 6:
		peer_send(&s->peer, 1 + choose(c, 255));
		break;
	case 7:
		receive(w, s, (size_t)1 << choose(c, 12));
		break;
	case 8:
		peer_close(&s->peer);
		break;
	case 9:
		pass_time(w);
		break;
	case 10:
		lock(w, choose(c, 2) == 1);
		break;
	default:
		receive(w, s, SIZE_MAX);
		break;
	}
	if (choose(c, 2) == 0)
		world_run(&w->loop);
}

/* ---- the requests, without listener and signals ---- */

static void
begin(struct clients *cs, uv_loop_t *loop)
{
	static struct commit *commit; /* to open the log costs milliseconds */
	static struct log *json;

	if (commit == NULL) {
		require(libfcgi_init() == 0);
		commit = commit_new(&config, 0);
		json = log_open_memory();
	}
	require(commit != NULL && json != NULL);
	require(uv_loop_init(loop) == 0);
	require(clients_open(cs, loop, &config, commit, json) == 0);
}

static void
flush(struct world *w)
{
	for (int i = 0; i < ROUNDS_MAX; i++) {
		size_t before = 0, after = 0;

		world_pass_ms(3); /* to try again */
		for (size_t k = 0; k < SLOTS; k++) {
			before += w->slots[k].peer.moved;
			peer_send(&w->slots[k].peer, PEER_TODO_MAX);
		}
		world_run(&w->loop);
		for (size_t k = 0; k < SLOTS; k++) {
			receive(w, &w->slots[k], SIZE_MAX);
			after += w->slots[k].peer.moved;
		}
		if (before == after && i > 10)
			return;
	}
	require(false); /* it never comes to rest */
}

static void
end(struct world *w)
{
	struct clients *cs = &w->clients;

	lock(w, false);
	flush(w);
	connections_close_idle(cs->connections);
	clients_end(cs);
	group_give_up(&cs->group);
	flush(w);
	for (size_t i = 0; i < SLOTS; i++) {
		const struct peer *p = &w->slots[i].peer;

		if (p->fd >= 0 && p->is_clean && !p->has_aborted &&
		    w->passed_ms < PATIENCE_MS)
			require(!p->is_asking);
	}
	require(cs->all == NULL && cs->group.n == 0);
	clients_close(cs);
	flush(w);
	for (size_t i = 0; i < SLOTS; i++) {
		require(w->slots[i].peer.fd < 0 || w->slots[i].peer.is_closed);
		peer_close(&w->slots[i].peer);
	}
	world_end(&w->loop);
}

/* ---- what is in the log ---- */

static bool
on_row(void *cookie, const struct event *e)
{
	struct world *w = cookie;
	char data[64] = "";
	size_t request, i;
	unsigned sum;

	if (e->data.len < sizeof(data))
		memcpy(data, e->data.bytes, e->data.len);
	if (sscanf(data, "%zu-%zu-%8x", &request, &i, &sum) == 3 &&
	    request < w->n_sent && i < EVENTS_MAX && sum == seal(request, i))
		w->stored[request][i]++;
	return true;
}

static void
check_log(struct world *w)
{
	static struct log *log;
	struct log_options options = { .path = config.db };
	struct log_range range = { .upto = INT64_MAX, .max_rows = 10000 };
	char why[LOG_WHY_MAX];
	int64_t reached;

	if (log == NULL)
		require(log_open(&options, &log, why) == LOG_OK);
	require(log_read(log, &range, on_row, w, &reached) == LOG_OK);
	for (size_t i = 0; i < w->n_sent; i++) {
		const struct sent *sent = &w->sent[i];
		size_t n = 0;

		for (size_t k = 0; k < EVENTS_MAX; k++) {
			require(!sent->is_clean || w->stored[i][k] <= 1);
			n += w->stored[i][k];
		}
		if (!sent->is_clean)
			continue;
		if (sent->status >= 200 && sent->status < 300 &&
		    sent->status != 204)
			require(n == sent->n);
		else if (sent->status != 0 && !sent->is_streamed)
			require(n == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.choices = (struct choices){ data, size };
	config.db = scratch_log();
	begin(&w.clients, &w.loop);
	for (size_t i = 0; i < SLOTS; i++)
		w.slots[i].peer.fd = -1;
	for (int i = 0; i < OPERATIONS_MAX && w.choices.len > 0; i++)
		operate(&w);
	end(&w);
	check_log(&w);
	return 0;
}
