/*
 * One connection from the web server, and its responses.
 *
 * A connection reads a request, sends the response, ends it and reads the next
 * request.  It is freed from the loop, after libuv has released its handle: no
 * call frees the connection that it is made on.
 */
#include "connection_private.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#define DRAIN_BYTES 4096

void
connection_set_deadline(struct connection *c)
{
	deadlines_set(&c->owner->deadlines, &c->deadline);
}

static void
drop_body(struct connection *c)
{
	if (c->body != NULL)
		free(c->body->rest);
	free(c->body);
	c->body = NULL;
}

/* ---- closing ---- */

static void
on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;
	struct connections *cs = c->owner;

	(void)close(c->fd); /* nothing can be done if it fails */
	free(c->buffer.bytes);
	drop_body(c);
	free(c);
	cs->count--;
	if (cs->freed != NULL)
		cs->freed(cs->freed_cookie);
}

/* Read what the peer has sent, so that closing does not reset the socket. */
static void
drain(int fd)
{
	char scratch[DRAIN_BYTES];

	for (int i = 0; i < 64; i++)
		if (recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) <= 0)
			return;
}

void
connection_close(struct connection *c)
{
	if (c->state == CONNECTION_CLOSING)
		return;
	if (c->state == CONNECTION_IDLE)
		DL_DELETE2(c->owner->idle, c, idle.prev, idle.next);
	else
		deadlines_clear(&c->deadline);
	c->state = CONNECTION_CLOSING;
	if (!c->is_cgi)
		drain(c->fd);
	uv_close(&c->handle.any, on_closed);
}

void
connection_lose(struct connection *c)
{
	bool was_answering = c->state == CONNECTION_ANSWERING;
	void *user = c->user;
	uint8_t end[RECORDS_END_BYTES];

	/* lighttpd logs an error for a response without an end, even if it was
	   lighttpd that left */
	if (was_answering && !c->is_cgi && !c->is_blocked) {
		records_put_end(end, c->id);
		(void)send(c->fd, end, sizeof(end),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	c->user = NULL;
	connection_close(c);
	if (was_answering && user != NULL)
		c->owner->handler->gone(user);
}

/* ---- polling ---- */

static void
poll_for(struct connection *c, int events)
{
	if (c->is_polled)
		(void)uv_poll_start(&c->handle.poll, events, c->owner->on_poll);
}

void
connection_listen(struct connection *c)
{
	poll_for(c, c->is_cgi ? UV_PRIORITIZED : UV_READABLE);
}

static void
block(struct connection *c)
{
	int leaving = c->is_cgi ? UV_PRIORITIZED : UV_READABLE;

	c->is_blocked = true;
	/* at the end it does not matter whether the peer leaves, and a socket
	   that is half closed would be readable without end */
	poll_for(c,
	    UV_WRITABLE | (c->state == CONNECTION_ENDING ? 0 : leaving));
}

/* ---- answering ---- */

static void
linger(struct connection *c)
{
	c->state = CONNECTION_LINGERING;
	deadlines_set(&c->owner->lingering, &c->deadline);
	connection_listen(c); /* the body may have been paused */
}

void
connection_finish(struct connection *c)
{
	if (c->body != NULL && !c->body->is_over) {
		linger(c);
		return;
	}
	if (!c->keeps || c->is_cgi || c->owner->is_closing) {
		connection_close(c);
		return;
	}
	drop_body(c);
	deadlines_clear(&c->deadline);
	c->state = CONNECTION_IDLE;
	DL_APPEND2(c->owner->idle, c, idle.prev, idle.next);
}

/* Write what is unsent. */
static enum connection_sent
write_unsent(struct connection *c)
{
	struct connection_bytes *b = &c->buffer;

	while (b->sent < b->len) {
		ssize_t n = write(c->fd, b->bytes + b->sent, b->len - b->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? CONNECTION_BLOCKED :
						 CONNECTION_FAILED;
		b->sent += (size_t)n;
		c->progress_ms = connection_now_ms(c);
	}
	free(b->bytes);
	*b = (struct connection_bytes){ 0 };
	if (c->is_blocked)
		connection_listen(c);
	c->is_blocked = false;
	return CONNECTION_SENT;
}

int
connection_flush_end(struct connection *c)
{
	switch (write_unsent(c)) {
	case CONNECTION_BLOCKED:
		return -1;
	case CONNECTION_SENT:
		connection_finish(c);
		return 0;
	default:
		connection_lose(c);
		return 0;
	}
}

enum connection_sent
connection_continue(struct connection *c)
{
	enum connection_sent sent = write_unsent(c);

	assert(c->state == CONNECTION_ANSWERING);
	if (sent == CONNECTION_BLOCKED)
		block(c);
	return sent;
}

/* Keep what is left of pieces, which hold total bytes, after the first sent. */
static int
keep_rest(struct connection *c, const struct iovec *pieces, int n, size_t sent,
    size_t total)
{
	char *p = malloc(total - sent);

	if (p == NULL)
		return -1;
	c->buffer = (struct connection_bytes){ p, .len = total - sent };
	for (int i = 0; i < n; i++) {
		if (sent >= pieces[i].iov_len) {
			sent -= pieces[i].iov_len;
			continue;
		}
		memcpy(p, (const char *)pieces[i].iov_base + sent,
		    pieces[i].iov_len - sent);
		p += pieces[i].iov_len - sent;
		sent = 0;
	}
	return 0;
}

enum connection_sent
connection_send(struct connection *c, struct iovec *pieces, int n, size_t len)
{
	uint8_t header[RECORDS_HEADER_BYTES];
	ssize_t sent;

	assert(!c->is_blocked && n <= CONNECTION_PIECES_MAX);
	if (c->state != CONNECTION_ANSWERING)
		return CONNECTION_FAILED;
	if (c->is_cgi) {
		pieces[0] = (struct iovec){ NULL, 0 };
	} else {
		records_put_stdout(header, c->id, len);
		pieces[0] = (struct iovec){ header, sizeof(header) };
		len += sizeof(header);
	}
	do
		sent = writev(c->fd, pieces, n);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)len) {
		c->progress_ms = connection_now_ms(c);
		return CONNECTION_SENT;
	}
	if (sent < 0 && errno == EAGAIN) {
		block(c);
		return CONNECTION_BLOCKED;
	}
	if (sent < 0 || keep_rest(c, pieces, n, (size_t)sent, len) != 0)
		return CONNECTION_FAILED;
	c->progress_ms = connection_now_ms(c);
	block(c);
	return CONNECTION_PARTLY;
}

void
connection_send_end(struct connection *c)
{
	c->user = NULL;
	c->state = CONNECTION_ENDING;
	connection_set_deadline(c);
	if (connection_flush_end(c) != 0)
		block(c);
}

void
connection_end(struct connection *c)
{
	struct connection_bytes *b = &c->buffer;
	char *p;

	c->user = NULL;
	if (c->state != CONNECTION_ANSWERING)
		return;
	if (!c->is_cgi) {
		p = realloc(b->bytes, b->len + RECORDS_END_BYTES);
		if (p == NULL) {
			connection_close(c);
			return;
		}
		records_put_end((uint8_t *)p + b->len, c->id);
		b->bytes = p;
		b->len += RECORDS_END_BYTES;
	}
	connection_send_end(c);
}

void
connection_abort(struct connection *c)
{
	c->user = NULL;
	connection_close(c);
}

void
connection_set_user(struct connection *c, void *user)
{
	c->user = user;
}

bool
connection_is_blocked(const struct connection *c)
{
	return c->is_blocked;
}

int64_t
connection_progress_ms(const struct connection *c)
{
	return c->progress_ms;
}

uv_loop_t *
connection_loop(const struct connection *c)
{
	return c->owner->loop;
}
