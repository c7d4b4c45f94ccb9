/*
 * One client.  Each connection has a handle of its own, so that the next can
 * begin while the last one closes.
 */
#include "client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "event_source.h"
#include "response.h"

#define RETRY_MS 3000 /* as browsers have it until they are told */
#define SLOW_BYTES 256

struct connection {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct client_private *client; /* NULL once it is closing */
};

struct client_private {
	struct client_world *world;
	int64_t number;
	const char *query;
	struct client_manner manner;
	struct connection *connection; /* NULL between two */
	int64_t n_connections;
	struct response response;
	struct event_source *source;
	int64_t id;      /* -1: none yet */
	bool is_greeted; /* on this connection */
	bool is_done;
	uv_timer_t again; /* the next connection */
	uv_timer_t leave; /* churn */
	uv_timer_t pause; /* until it reads on */
	int n_timers;     /* that are not closed */
	char request[1024];
};

static void connect_again(uv_timer_t *timer);

uint64_t
client_random(struct client_world *world, uint64_t n)
{
	/* splitmix64 */
	uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

static void
record(struct client_private *c, const char *kind, int64_t a, int64_t b,
    struct text name, struct text data)
{
	FILE *f = c->world->record;

	fprintf(f, "%" PRId64 "\t%" PRId64 "\t%s\t%" PRId64 "\t%" PRId64 "\t",
	    c->number, c->n_connections, kind, a, b);
	for (size_t i = 0; i < name.len; i++)
		(void)putc(name.bytes[i] == '\t' ? '?' : name.bytes[i], f);
	(void)putc('\t', f);
	for (size_t i = 0; i < data.len; i++) {
		(void)putc("0123456789ABCDEF"[data.bytes[i] >> 4 & 15], f);
		(void)putc("0123456789ABCDEF"[data.bytes[i] & 15], f);
	}
	(void)putc('\n', f);
}

static void
record_fact(struct client_private *c, const char *kind, int64_t a, int64_t b)
{
	record(c, kind, a, b, (struct text){ "", 0 }, (struct text){ "", 0 });
}

/* ---- what comes ---------------------------------------------------------- */

static bool
is_text(struct text t, const char *s)
{
	return t.len == strlen(s) && memcmp(t.bytes, s, t.len) == 0;
}

/* Returns the number with this name in JSON of rowcast's; -2: none. */
static int64_t
number_of(struct text json, const char *name)
{
	char copy[128];
	const char *at;

	if (json.len >= sizeof(copy))
		return -2;
	memcpy(copy, json.bytes, json.len);
	copy[json.len] = '\0';
	at = strstr(copy, name);
	return at != NULL ? strtoll(at + strlen(name), NULL, 10) : -2;
}

static void
take_event(struct client_private *c, const struct event_source_block *b)
{
	struct client_world *w = c->world;

	if (is_text(b->type, "stream-gap")) {
		w->gaps++;
		record_fact(c, "gap", number_of(b->data, "\"after\":"),
		    number_of(b->data, "\"next\":"));
	} else if (is_text(b->type, "stream-reset")) {
		w->resets++;
		record_fact(c, "reset", number_of(b->data, "\"after\":"),
		    number_of(b->data, "\"head\":"));
	} else {
		w->events++;
		record(c, "event", c->id, 0, b->type, b->data);
	}
	if (is_text(b->type, w->until) && !c->is_done &&
	    (w->until_data == NULL || is_text(b->data, w->until_data))) {
		c->is_done = true;
		w->n_done++;
	}
}

static void
on_block(void *cookie, const struct event_source_block *b)
{
	struct client_private *c = cookie;
	char digits[24] = "";

	if (b->id.len > 0 && b->id.len < sizeof(digits)) {
		memcpy(digits, b->id.bytes, b->id.len);
		if (c->id < 0)
			c->world->n_open++;
		c->id = strtoll(digits, NULL, 10);
	}
	if (!c->is_greeted && b->has_id) {
		c->is_greeted = true;
		record_fact(c, "open", c->id, 0);
	}
	if (b->is_event)
		take_event(c, b);
}

static void
on_body(void *cookie, const char *bytes, size_t len)
{
	struct client_private *c = cookie;

	/* ignore the body of a refusal */
	if (c->response.status == 200 && c->response.is_event_stream)
		event_source_feed(c->source, bytes, len, on_block, c);
}

/* ---- connections --------------------------------------------------------- */

static void
on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Closes the connection, and reconnects later. */
static void
part(struct client_private *c, int64_t again_ms)
{
	struct connection *n = c->connection;
	int status = c->response.status;

	c->connection = NULL;
	n->client = NULL;
	uv_close((uv_handle_t *)&n->tcp, on_closed);
	(void)uv_timer_stop(&c->leave);
	(void)uv_timer_stop(&c->pause);
	if (status != 0 && (status != 200 || !c->response.is_event_stream)) {
		c->world->refused++;
		record_fact(c, "refused", status == 200 ? 0 : status, 0);
	}
	record_fact(c, "close", 0, 0);
	event_source_reconnect(c->source);
	if (again_ms >= 0)
		(void)uv_timer_start(&c->again, connect_again,
		    (uint64_t)again_ms, 0);
}

static int64_t
retry_ms(const struct client_private *c)
{
	int64_t ms = event_source_retry_ms(c->source);

	return ms >= 0 ? ms : RETRY_MS;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static void
on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	static char bytes[65536]; /* read before the next one is wanted */
	const struct connection *n = handle->data;

	(void)wanted;
	*buffer = uv_buf_init(bytes,
	    n->client != NULL && n->client->manner.pause_ms > 0 ?
		SLOW_BYTES :
		sizeof(bytes));
}

static void
read_on(uv_timer_t *timer)
{
	struct client_private *c = timer->data;

	(void)uv_read_start((uv_stream_t *)&c->connection->tcp, on_alloc,
	    on_read);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct connection *of = stream->data;
	struct client_private *c = of->client;

	if (c == NULL || n == 0)
		return;
	if (n < 0 ||
	    response_take(&c->response, buffer->base, (size_t)n, on_body, c) !=
		0 ||
	    c->response.is_over) {
		part(c, retry_ms(c));
		return;
	}
	if (c->manner.pause_ms > 0) {
		(void)uv_read_stop(stream);
		(void)uv_timer_start(&c->pause, read_on,
		    (uint64_t)c->manner.pause_ms, 0);
	}
}

static void
on_leave(uv_timer_t *timer)
{
	part(timer->data, 0);
}

static void
on_written(uv_write_t *write, int status)
{
	(void)write, (void)status; /* reading tells */
}

static void
on_connected(uv_connect_t *connect, int status)
{
	struct connection *n = connect->data;
	struct client_private *c = n->client;
	uv_buf_t head;

	if (c == NULL)
		return;
	if (status != 0) {
		c->world->failed++;
		part(c, retry_ms(c));
		return;
	}
	head = uv_buf_init(c->request, (unsigned)strlen(c->request));
	(void)uv_write(&n->write, (uv_stream_t *)&n->tcp, &head, 1, on_written);
	(void)uv_timer_start(&c->pause, read_on, (uint64_t)c->manner.stall_ms,
	    0);
	if (c->manner.churn_ms > 0)
		(void)uv_timer_start(&c->leave, on_leave,
		    client_random(c->world, 2 * (uint64_t)c->manner.churn_ms),
		    0);
}

static void
connect_again(uv_timer_t *timer)
{
	struct client_private *c = timer->data;
	struct client_world *w = c->world;
	struct connection *n = calloc(1, sizeof(*n));
	char last[64] = "";

	if (n == NULL)
		abort();
	if (c->id >= 0)
		(void)snprintf(last, sizeof(last),
		    "Last-Event-ID: %" PRId64 "\r\n", c->id);
	(void)snprintf(c->request, sizeof(c->request),
	    "GET %s%s%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n"
	    "Cache-Control: no-cache\r\n%s\r\n",
	    w->path, *c->query != '\0' ? "?" : "", c->query, w->host, last);
	n->client = c;
	n->tcp.data = n->connect.data = n;
	c->connection = n;
	c->n_connections++;
	c->is_greeted = false;
	w->connections++;
	response_init(&c->response);
	(void)uv_tcp_init(w->loop, &n->tcp);
	if (uv_tcp_connect(&n->connect, &n->tcp,
		(const struct sockaddr *)&w->server, on_connected) != 0) {
		w->failed++;
		part(c, retry_ms(c));
	}
}

/* ---- life ---------------------------------------------------------------- */

static void
add_timer(struct client_private *c, uv_timer_t *timer)
{
	(void)uv_timer_init(c->world->loop, timer);
	timer->data = c;
	c->n_timers++;
}

void
client_new(struct client *client, struct client_world *world, int64_t number,
    const char *query, int64_t id, const struct client_manner *manner)
{
	struct client_private *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->world = world;
	c->number = number;
	c->query = query;
	c->manner = *manner;
	c->id = id;
	c->source = event_source_new();
	add_timer(c, &c->again);
	add_timer(c, &c->leave);
	add_timer(c, &c->pause);
	if (id >= 0)
		world->n_open++;
	(void)uv_timer_start(&c->again, connect_again, 0, 0);
	client->world = world;
	client->own = c;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct client_private *c = handle->data;

	if (--c->n_timers > 0)
		return;
	event_source_free(c->source);
	free(c);
}

void
client_end(struct client *client)
{
	struct client_private *c = client->own;

	client->own = NULL;
	if (c->connection != NULL)
		part(c, -1);
	uv_close((uv_handle_t *)&c->again, on_timer_closed);
	uv_close((uv_handle_t *)&c->leave, on_timer_closed);
	uv_close((uv_handle_t *)&c->pause, on_timer_closed);
}

void
client_leave(struct client *client)
{
	if (client->own->connection != NULL)
		part(client->own, 0);
}

int64_t
client_id(const struct client *client)
{
	return client->own->id;
}

bool
client_is_done(const struct client *client)
{
	return client->own->is_done;
}
