/*
 * What comes over a connection: requests, and bodies where they are wanted.
 */
#include "connection_private.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/warn.h"

#define READ_BYTES 4096

/* ---- bodies ---- */

static int
open_input(struct connection *c, uint16_t id)
{
	c->input = calloc(1, sizeof(*c->input));
	if (c->input == NULL)
		return -1;
	c->input->reader.id = id;
	return 0;
}

void
connection_drop_input(struct connection *c)
{
	if (c->input != NULL)
		free(c->input->rest);
	free(c->input);
	c->input = NULL;
}

static bool
takes_body(const struct connection *c)
{
	return c->state == CONNECTION_ANSWERING && !c->input->is_paused &&
	    !c->input->is_over;
}

/* Hand over one piece of what has come. */
static size_t
hand_over_some(struct connection *c, const char *bytes, size_t len)
{
	const struct connection_handler *handler = c->owner->handler;
	struct connection_input *in = c->input;
	struct text content = { NULL, 0 };
	size_t used;

	switch (records_take_body(&in->reader, (const uint8_t *)bytes, len,
	    &used, &content)) {
	case RECORDS_BODY_MORE:
		break;
	case RECORDS_BODY_END:
		in->is_over = true;
		connections_unlist(c);
		/* FALLTHROUGH */
	case RECORDS_BODY_CONTENT:
		if (c->user != NULL)
			handler->body(c->user, content);
		break;
	case RECORDS_BODY_ABORT:
	case RECORDS_BODY_BAD:
		connection_lose(c);
		break;
	}
	return used;
}

/* Hand over until it is all, or the user's patience is over; keep the rest. */
static void
hand_over(struct connection *c, const char *bytes, size_t len)
{
	struct connection_input *in = c->input;

	while (takes_body(c) && len > 0) {
		size_t used = hand_over_some(c, bytes, len);

		bytes += used;
		len -= used;
	}
	if (c->state != CONNECTION_ANSWERING || in->is_over || len == 0)
		return;
	in->rest = malloc(len);
	if (in->rest == NULL) {
		connection_lose(c);
		return;
	}
	memcpy(in->rest, bytes, len);
	in->rest_len = len;
}

static void
read_body(struct connection *c)
{
	struct connections *cs = c->owner;
	ssize_t n;

	n = recv(c->fd, cs->bytes, INPUT_BYTES, 0);
	if (n > 0) {
		connections_wait(c);
		hand_over(c, cs->bytes, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		connection_lose(c);
	}
}

void
connection_resume(struct connection *c)
{
	char *rest = c->input->rest;
	size_t len = c->input->rest_len;

	c->input->rest = NULL;
	c->input->rest_len = 0;
	c->input->is_paused = false;
	connections_wait(c);
	connection_listen(c);
	hand_over(c, rest, len);
	free(rest);
}

/* ---- requests ---- */

/* Room for more input; -1 if there is already too much, or no memory. */
static int
make_room(struct connection *c)
{
	size_t capacity = c->capacity > 0 ? c->capacity * 2 : READ_BYTES;
	char *p;

	if (c->len < c->capacity)
		return 0;
	if (capacity > RECORDS_BUFFER_MAX)
		capacity = RECORDS_BUFFER_MAX;
	if (c->len >= capacity || (p = realloc(c->buffer, capacity)) == NULL)
		return -1;
	c->buffer = p;
	c->capacity = capacity;
	return 0;
}

/* Tell the operator once, until one is taken again. */
static void
tell_short(struct connections *cs)
{
	if (!cs->is_short)
		warn_line("main: out of memory for a request");
	cs->is_short = true;
}

static void
begin_answer(struct connection *c, size_t used)
{
	struct connections *cs = c->owner;
	char **vars;
	char *buffer = c->buffer;
	size_t len = c->len;

	c->id = records_request_id((uint8_t *)buffer);
	vars = libfcgi_parse(&cs->pair, (uint8_t *)buffer, used);
	if (vars == NULL ||
	    (cs->handler->body != NULL && open_input(c, c->id) != 0)) {
		if (errno == ENOMEM)
			tell_short(cs);
		free(vars);
		connection_close(c);
		return;
	}
	cs->is_short = false;
	c->buffer = NULL;
	c->len = c->capacity = 0;
	connections_unlist(c);
	c->keeps = records_keeps_connection((uint8_t *)buffer);
	c->state = CONNECTION_ANSWERING;
	c->progress_ms = connections_now_ms(cs);
	if (c->input != NULL)
		connections_wait(c);
	cs->handler->request(cs->cookie, c, (const char *const *)vars);
	free(vars);
	if (c->input != NULL)
		hand_over(c, buffer + used, len - used);
	else if (c->state == CONNECTION_ANSWERING &&
	    records_is_abort((uint8_t *)buffer + used, len - used))
		connection_lose(c);
	free(buffer);
}

/* Answer a management record and go on behind it. */
static int
manage(struct connection *c, size_t used)
{
	uint8_t reply[RECORDS_REPLY_MAX_BYTES];
	size_t len = records_put_reply((uint8_t *)c->buffer, used, reply);

	if (send(c->fd, reply, len, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    (ssize_t)len)
		return -1;
	c->len -= used;
	memmove(c->buffer, c->buffer + used, c->len);
	return 0;
}

static enum records_scan
scan(struct connection *c, size_t *used)
{
	if (c->owner->handler->body != NULL)
		return records_scan_head((uint8_t *)c->buffer, c->len, used);
	return records_scan((uint8_t *)c->buffer, &c->len, used);
}

static void
look_at_input(struct connection *c)
{
	size_t used;

	for (;;) {
		switch (scan(c, &used)) {
		case RECORDS_WHOLE:
			begin_answer(c, used);
			return;
		case RECORDS_PARTIAL:
			return;
		case RECORDS_MANAGE:
			if (manage(c, used) == 0)
				continue;
			break;
		case RECORDS_BAD:
			break;
		}
		connection_close(c);
		return;
	}
}

static void
read_request(struct connection *c)
{
	ssize_t n;

	if (make_room(c) != 0) {
		connection_close(c);
		return;
	}
	n = recv(c->fd, c->buffer + c->len, c->capacity - c->len, 0);
	if (n > 0) {
		if (c->list == &c->owner->idle)
			connections_wait(c);
		c->len += (size_t)n;
		look_at_input(c);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		connection_close(c);
	}
}

/* While answering, the peer has nothing to say but that it leaves. */
static void
read_farewell(struct connection *c)
{
	uint8_t scratch[READ_BYTES];
	ssize_t n;

	n = recv(c->fd, scratch, sizeof(scratch), 0);
	if (n > 0 ? records_is_abort(scratch, (size_t)n) :
		    n == 0 || (errno != EAGAIN && errno != EINTR))
		connection_lose(c);
}

void
connection_read(struct connection *c)
{
	if (c->state == CONNECTION_READING)
		read_request(c);
	else if (c->state == CONNECTION_ANSWERING && c->input != NULL &&
	    !c->input->is_over)
		read_body(c);
	else if (c->state == CONNECTION_ANSWERING)
		read_farewell(c);
}
