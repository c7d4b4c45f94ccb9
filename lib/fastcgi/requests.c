/*
 * Requests and their bodies, as they arrive over a connection.
 *
 * While a request is answered, the connection reads only its body, or the sign
 * that the peer leaves.
 */
#include "connection_private.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/loop/timer.h"
#include "lib/warn.h"

#define FAREWELL_BYTES 4096

/* ---- bodies ---- */

/* Hand over received bytes until all are taken or the user pauses; keep the
   rest. */
static void
hand_over(struct connection *c, const char *bytes, size_t len)
{
	struct text content;

	while (c->state == CONNECTION_ANSWERING && !c->body->is_paused &&
	    !c->body->is_over && len > 0) {
		switch (input_body_take(c->body, &bytes, &len, &content)) {
		case RECORDS_BODY_MORE:
			break;
		case RECORDS_BODY_END:
			deadlines_clear(&c->deadline);
			/* FALLTHROUGH */
		case RECORDS_BODY_CONTENT:
			if (c->user != NULL)
				c->owner->handler->body(c->user, content);
			break;
		case RECORDS_BODY_ABORT:
		case RECORDS_BODY_BAD:
			connection_lose(c);
			break;
		}
	}
	if (c->state == CONNECTION_ANSWERING && !c->body->is_over && len > 0 &&
	    input_body_keep(c->body, bytes, len) != 0)
		connection_lose(c);
}

static void
read_body(struct connection *c)
{
	char *scratch = c->owner->scratch;
	ssize_t n = recv(c->fd, scratch, CONNECTION_SCRATCH_BYTES, 0);

	if (n > 0) {
		connection_set_deadline(c);
		hand_over(c, scratch, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		connection_lose(c);
	}
}

void
connection_pause(struct connection *c)
{
	if (c->body->is_over) /* then only the peer's leaving is read */
		return;
	c->body->is_paused = true;
	deadlines_clear(&c->deadline);
	(void)uv_poll_stop(&c->handle.poll); /* cannot fail */
}

void
connection_resume(struct connection *c)
{
	char *rest = c->body->rest;
	size_t len = c->body->rest_len;

	c->body->rest = NULL;
	c->body->rest_len = 0;
	c->body->is_paused = false;
	connection_set_deadline(c);
	connection_listen(c);
	hand_over(c, rest, len);
	free(rest);
}

/* ---- requests ---- */

/* Parse a request, and begin to take its body if the user wants that; NULL if
   that fails. */
static char **
take_request(struct connection *c, const uint8_t *bytes, size_t used)
{
	struct connections *cs = c->owner;
	char **vars;

	c->id = records_request_id(bytes);
	c->keeps = records_keeps_connection(bytes);
	vars = libfcgi_parse(&cs->pair, bytes, used);
	if (vars != NULL && cs->handler->body != NULL &&
	    (c->body = input_body_new(c->id)) == NULL) {
		free(vars);
		vars = NULL;
	}
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
	struct input in = c->in;
	char **vars = take_request(c, (uint8_t *)in.bytes, used);

	if (vars == NULL) {
		connection_close(c);
		return;
	}
	cs->is_short = false;
	c->out = (struct output){ 0 };
	deadlines_clear(&c->deadline);
	c->state = CONNECTION_ANSWERING;
	c->progress_ms = connection_now_ms(c);
	if (c->body != NULL)
		connection_set_deadline(c);
	cs->handler->request(cs->cookie, c, (const char *const *)vars);
	free(vars);
	if (c->body != NULL)
		hand_over(c, in.bytes + used, in.len - used);
	else if (c->state == CONNECTION_ANSWERING &&
	    records_is_abort((uint8_t *)in.bytes + used, in.len - used))
		connection_lose(c);
	free(in.bytes);
}

static void
read_request(struct connection *c)
{
	size_t used = 0;
	enum input_result result =
	    input_read(&c->in, c->fd, c->owner->handler->body != NULL, &used);

	if (c->state == CONNECTION_IDLE && result != INPUT_NOTHING) {
		TAILQ_REMOVE(&c->owner->idle, c, idle);
		c->state = CONNECTION_READING;
		connection_set_deadline(c);
	}
	if (result == INPUT_WHOLE)
		begin_answer(c, used);
	else if (result == INPUT_LOST)
		connection_close(c);
}

/* While it is answered, a peer has nothing to send but that it leaves. */
static void
read_farewell(struct connection *c)
{
	uint8_t scratch[FAREWELL_BYTES];
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
			read_body(c);
		else
			read_farewell(c);
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
	if (events & UV_WRITABLE &&
	    (c->state == CONNECTION_ANSWERING || c->state == CONNECTION_ENDING))
		(void)connection_flush(c); /* it is polled for already */
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
	connection_listen(
	    c); /* has no effect on a plain file, which never blocks */
	return c;
}
