/*
 * The bodies of requests, as they arrive over a connection.
 *
 * A response may be sent before the body has ended: a refusal does not wait for
 * a sender that may be slow or never end.  The connection then lingers: it
 * reads and discards the rest, because a web server that is still sending would
 * take a reset for the answer.  nginx closes the connection as soon as it has
 * the response, so that a place is free at once.
 */
#include "connection_private.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DISCARD_MAX_BYTES ((size_t)16 * 1024 * 1024)

static bool
is_taken(const struct connection *c)
{
	if (c->body == NULL || c->body->is_over)
		return false;
	return c->state == CONNECTION_LINGERING ||
	    c->state == CONNECTION_ENDING ||
	    (c->state == CONNECTION_ANSWERING && !c->body->is_paused);
}

static void
take_content(struct connection *c, struct text content)
{
	if (c->state == CONNECTION_ANSWERING) {
		if (c->user != NULL)
			c->owner->handler->body(c->user, content);
		return;
	}
	c->body->discarded += content.len;
	if (c->body->discarded > DISCARD_MAX_BYTES)
		connection_close(c);
}

static void
take_end(struct connection *c)
{
	c->body->is_over = true;
	if (c->state == CONNECTION_LINGERING) {
		connection_finish(c);
	} else if (c->state == CONNECTION_ANSWERING) {
		deadlines_clear(&c->deadline);
		take_content(c, (struct text){ NULL, 0 });
	}
}

/* Keep bytes that are not taken yet: of a body that is paused, or of the
   request that follows a discarded body. */
static void
keep(struct connection *c, const char *bytes, size_t len)
{
	char *copy = malloc(len);

	if (copy == NULL) {
		connection_lose(c);
		return;
	}
	memcpy(copy, bytes, len);
	if (c->state == CONNECTION_IDLE) {
		c->buffer.bytes = copy; /* write_unsent() has emptied it */
		c->buffer.len = c->buffer.capacity = len;
	} else {
		c->body->rest = copy;
		c->body->rest_len = len;
	}
}

void
connection_take_body(struct connection *c, const char *bytes, size_t len)
{
	while (is_taken(c) && len > 0) {
		struct text content = { NULL, 0 };
		size_t used;

		switch (records_take_body(&c->body->reader,
		    (const uint8_t *)bytes, len, &used, &content)) {
		case RECORDS_BODY_MORE:
			break;
		case RECORDS_BODY_END:
			take_end(c);
			break;
		case RECORDS_BODY_CONTENT:
			take_content(c, content);
			break;
		case RECORDS_BODY_ABORT:
		case RECORDS_BODY_BAD:
			connection_lose(c);
			break;
		}
		bytes += used;
		len -= used;
	}
	if (len > 0 &&
	    (c->state == CONNECTION_IDLE ||
		(c->state == CONNECTION_ANSWERING && !c->body->is_over)))
		keep(c, bytes, len);
}

void
connection_read_body(struct connection *c)
{
	char *scratch = c->owner->scratch;
	ssize_t n = recv(c->fd, scratch, CONNECTION_SCRATCH_BYTES, 0);

	if (n > 0) {
		if (c->state == CONNECTION_ANSWERING)
			connection_set_deadline(c);
		connection_take_body(c, scratch, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		connection_lose(c);
	}
}

static void
take_rest(struct connection *c)
{
	char *rest = c->body->rest;
	size_t len = c->body->rest_len;

	c->body->rest = NULL;
	c->body->rest_len = 0;
	connection_take_body(c, rest, len);
	free(rest);
}

void
connection_discard_rest(struct connection *c)
{
	if (c->state == CONNECTION_LINGERING && c->body->rest != NULL)
		take_rest(c);
}

void
connection_pause(struct connection *c)
{
	if (c->body->is_over) /* then nothing is left to pause */
		return;
	c->body->is_paused = true;
	deadlines_clear(&c->deadline);
	(void)uv_poll_stop(&c->handle.poll); /* returns 0 */
}

void
connection_resume(struct connection *c)
{
	c->body->is_paused = false;
	connection_set_deadline(c);
	connection_listen(c);
	take_rest(c);
}

int
connection_answer(struct connection *c, const char *bytes, size_t len)
{
	size_t n = len / RECORDS_CONTENT_MAX + 1;
	char *p = malloc(len + n * RECORDS_HEADER_BYTES + RECORDS_END_BYTES);

	assert(c->state == CONNECTION_ANSWERING && !c->is_blocked);
	if (p == NULL)
		return -1;
	c->buffer.bytes = p;
	for (; len > 0; bytes += n, len -= n) {
		n = len < RECORDS_CONTENT_MAX ? len : RECORDS_CONTENT_MAX;
		records_put_stdout((uint8_t *)p, c->id, n);
		memcpy(p + RECORDS_HEADER_BYTES, bytes, n);
		p += RECORDS_HEADER_BYTES + n;
	}
	records_put_end((uint8_t *)p, c->id);
	c->buffer.len = (size_t)(p + RECORDS_END_BYTES - c->buffer.bytes);
	connection_send_end(c);
	connection_discard_rest(c);
	return 0;
}
