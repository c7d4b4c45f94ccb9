/*
 * Requests, as they arrive over a connection.
 *
 * While a request is answered, the connection reads only its body, an abort, or
 * the end of the connection.
 */
#include "connection_private.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#include "lib/loop/timer.h"
#include "lib/warn.h"

#define READ_BYTES 4096

/* Parse a request, and begin its body unless bodies are discarded.  Returns
   NULL if that fails. */
static char **
take_request(struct connection *c, const uint8_t *bytes, size_t used)
{
	struct connections *cs = c->owner;
	char **vars;

	c->id = records_request_id(bytes);
	c->keeps = records_keeps_connection(bytes);
	vars = libfcgi_parse(&cs->pair, bytes, used);
	if (vars != NULL && cs->handler->body != NULL &&
	    (c->body = calloc(1, sizeof(*c->body))) == NULL) {
		free(vars);
		vars = NULL;
	}
	if (c->body != NULL)
		c->body->reader.id = c->id;
	if (vars == NULL && errno == ENOMEM) {
		if (!cs->is_short) /* once, until a request succeeds */
			warn_line("main: out of memory for a request");
		cs->is_short = true;
	}
	return vars;
}

static void
begin_answer(struct connection *c, size_t used)
{
	struct connections *cs = c->owner;
	struct connection_bytes in = c->buffer;
	char **vars = take_request(c, (uint8_t *)in.bytes, used);

	if (vars == NULL) {
		connection_close(c);
		return;
	}
	cs->is_short = false;
	c->buffer = (struct connection_bytes){ 0 };
	c->scanner = (struct records_scanner){ 0 };
	deadlines_clear(&c->deadline);
	c->state = CONNECTION_ANSWERING;
	c->progress_ms = connection_now_ms(c);
	if (c->body != NULL)
		connection_set_deadline(c);
	cs->handler->request(cs->cookie, c, (const char *const *)vars);
	free(vars);
	if (c->body != NULL)
		connection_take_body(c, in.bytes + used, in.len - used);
	else if (c->state == CONNECTION_ANSWERING &&
	    records_is_abort((uint8_t *)in.bytes + used, in.len - used))
		connection_lose(c);
	free(in.bytes);
}

/* Make room for more bytes; -1 if there are too many already, or if out of
   memory. */
static int
make_room(struct connection_bytes *in)
{
	size_t capacity = in->capacity > 0 ? in->capacity * 2 : READ_BYTES;
	char *p;

	if (in->len < in->capacity)
		return 0;
	if (capacity > RECORDS_BUFFER_MAX)
		capacity = RECORDS_BUFFER_MAX;
	if (in->len >= capacity || (p = realloc(in->bytes, capacity)) == NULL)
		return -1;
	in->bytes = p;
	in->capacity = capacity;
	return 0;
}

/* Answer a management record. */
static int
manage(int fd, const uint8_t *record, size_t used)
{
	uint8_t reply[RECORDS_REPLY_MAX_BYTES];
	size_t len = records_put_reply(record, used, reply);

	return send(fd, reply, len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
		(ssize_t)len ?
	    0 :
	    -1;
}

/* Examine what has arrived.  Answer management records and remove them. */
static enum records_scan
scan(struct connection *c, size_t *used)
{
	struct connection_bytes *in = &c->buffer;
	size_t managed = 0;
	enum records_scan result;

	for (;;) {
		uint8_t *bytes = (uint8_t *)in->bytes + managed;
		size_t len = in->len - managed;

		result = c->owner->handler->body != NULL ?
		    records_scan_head(&c->scanner, bytes, len, used) :
		    records_scan(&c->scanner, bytes, &len, used);
		in->len = managed + len;
		if (result != RECORDS_MANAGE ||
		    manage(c->fd, bytes, *used) != 0)
			break;
		managed += *used;
	}
	in->len -= managed;
	if (managed > 0)
		memmove(in->bytes, in->bytes + managed, in->len);
	return result;
}

static void
examine(struct connection *c)
{
	size_t used;

	if (c->state == CONNECTION_IDLE) {
		DL_DELETE2(c->owner->idle, c, idle.prev, idle.next);
		c->state = CONNECTION_READING;
		connection_set_deadline(c);
	}
	switch (scan(c, &used)) {
	case RECORDS_WHOLE:
		begin_answer(c, used);
		break;
	case RECORDS_PARTIAL:
		break;
	case RECORDS_MANAGE: /* the socket does not take the reply */
	case RECORDS_BAD:
		connection_close(c);
		break;
	}
}

static void
read_request(struct connection *c)
{
	struct connection_bytes *in = &c->buffer;
	ssize_t n;

	n = make_room(in) != 0 ?
	    0 :
	    recv(c->fd, in->bytes + in->len, in->capacity - in->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		connection_close(c);
		return;
	}
	in->len += (size_t)n;
	examine(c);
}

/* Nothing but an abort or the end of the connection is expected now. */
static void
read_end(struct connection *c)
{
	uint8_t scratch[READ_BYTES];
	ssize_t n = recv(c->fd, scratch, sizeof(scratch), 0);

	if (n > 0 ? records_is_abort(scratch, (size_t)n) :
		    n == 0 || (errno != EAGAIN && errno != EINTR))
		connection_lose(c);
}

static void
read_some(struct connection *c)
{
	switch (c->state) {
	case CONNECTION_READING:
	case CONNECTION_IDLE:
		read_request(c);
		break;
	case CONNECTION_ANSWERING:
		if (c->is_cgi)
			connection_lose(c);
		else if (c->body != NULL && !c->body->is_over)
			connection_read_body(c);
		else
			read_end(c);
		break;
	case CONNECTION_LINGERING:
		connection_read_body(c);
		break;
	default:
		break;
	}
}

void
connection_on_poll(uv_poll_t *poll, int status, int events)
{
	struct connection *c = poll->data;

	if (status < 0) {
		connection_lose(c);
		return;
	}
	if (events & (UV_READABLE | UV_PRIORITIZED))
		read_some(c);
	if (events & UV_WRITABLE && c->state == CONNECTION_ENDING) {
		(void)connection_flush_end(c); /* it is polled for already */
	} else if (events & UV_WRITABLE && c->state == CONNECTION_ANSWERING &&
	    c->user != NULL) {
		connection_listen(c); /* until connection_continue() */
		c->owner->handler->writable(c->user);
	}
	connection_discard_rest(c);
	/* the next request may have followed a discarded body */
	while (c->state == CONNECTION_IDLE && c->buffer.len > 0)
		examine(c);
}

/* ---- opening ---- */

static struct connection *
new_connection(struct connections *cs, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)close(fd); /* nothing can be done if it fails */
		return NULL;
	}
	c->owner = cs;
	c->fd = fd;
	c->is_polled = uv_poll_init(cs->loop, &c->handle.poll, fd) == 0;
	if (!c->is_polled)
		timer_init(&c->handle.unused, cs->loop, c);
	c->handle.any.data = c;
	cs->count++;
	return c;
}

int
connection_open(struct connections *cs, int fd)
{
	struct connection *c = new_connection(cs, fd);

	if (c == NULL)
		return -1;
	c->state = CONNECTION_READING;
	if (!c->is_polled) {
		connection_close(c);
		return -1;
	}
	connection_set_deadline(c);
	connection_listen(c);
	/* without a round of the loop: the request has often arrived */
	connection_on_poll(&c->handle.poll, 0, UV_READABLE);
	return 0;
}

struct connection *
connection_open_cgi(struct connections *cs, int fd)
{
	struct connection *c = new_connection(cs, fd);

	if (c == NULL)
		return NULL;
	c->state = CONNECTION_ANSWERING;
	c->is_cgi = true;
	c->progress_ms = connection_now_ms(c);
	connection_listen(c); /* no effect on a plain file: it never blocks */
	return c;
}
