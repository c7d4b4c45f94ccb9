/*
 * Connections from the web server.
 *
 * Reading a request, answering and ending take turns.  While it answers, a
 * connection listens only for the peer leaving.
 */
#include "connection_private.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_BYTES 4096

static void on_poll(uv_poll_t *poll, int status, int events);

static void
drop_buffer(struct connection *c)
{
	free(c->buffer);
	c->buffer = NULL;
	c->len = c->at = c->capacity = 0;
}

/* ---- closing ---- */

static void
connection_free(struct connection *c)
{
	struct connections *cs = c->owner;

	(void)close(c->fd); /* nothing to be done if it fails */
	free(c->buffer);
	connection_drop_input(c);
	free(c);
	cs->count--;
	if (cs->freed != NULL)
		cs->freed(cs->freed_cookie);
}

static void
on_closed(uv_handle_t *handle)
{
	connection_free(handle->data);
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
	connections_unlist(c);
	c->state = CONNECTION_CLOSING;
	if (!c->is_cgi)
		drain(c->fd);
	uv_close(&c->handle.any, on_closed);
}

void
connection_lose(struct connection *c)
{
	void *user = c->user;
	bool was_answering = c->state == CONNECTION_ANSWERING;

	if (was_answering && !c->is_cgi) {
		uint8_t end[RECORDS_END_BYTES];

		/* lighttpd logs an error for each response without an end,
		   even if it was the one that left */
		if (!c->is_blocked) {
			records_put_end(end, c->id);
			(void)send(c->fd, end, sizeof(end),
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		}
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
	if (c->is_polled) /* cannot fail on an open handle */
		(void)uv_poll_start(&c->handle.poll, events, on_poll);
}

void
connection_listen(struct connection *c)
{
	poll_for(c, c->is_cgi ? UV_PRIORITIZED : UV_READABLE);
}

void
connection_pause(struct connection *c)
{
	if (c->input->is_over) /* nothing more comes but that it leaves */
		return;
	c->input->is_paused = true;
	connections_unlist(c);
	(void)uv_poll_stop(&c->handle.poll); /* cannot fail */
}

static void
block(struct connection *c)
{
	int leaving = c->is_cgi ? UV_PRIORITIZED : UV_READABLE;

	c->is_blocked = true;
	/* at the end it does not matter whether the peer leaves, and one that
	   has half left would be readable for ever */
	poll_for(c,
	    UV_WRITABLE | (c->state == CONNECTION_ENDING ? 0 : leaving));
}

/* ---- answering ---- */

/* The response is over and all of it is in the socket. */
static void
finish(struct connection *c)
{
	if (!c->keeps || c->is_cgi || c->owner->is_closing) {
		connection_close(c);
		return;
	}
	drop_buffer(c);
	connection_drop_input(c);
	c->state = CONNECTION_READING;
	connections_enlist(c, &c->owner->idle);
}

/* Send what is unsent; false if the socket took not all of it. */
static bool
send_unsent(struct connection *c)
{
	ssize_t n;

	while (c->at < c->len) {
		n = write(c->fd, c->buffer + c->at, c->len - c->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0) {
			connection_lose(c);
			return true;
		}
		c->at += (size_t)n;
		c->progress_ms = connections_now_ms(c->owner);
	}
	drop_buffer(c);
	if (c->is_blocked)
		connection_listen(c);
	c->is_blocked = false;
	if (c->state == CONNECTION_ENDING)
		finish(c);
	else if (c->state == CONNECTION_ANSWERING && c->user != NULL)
		c->owner->handler->writable(c->user);
	return true;
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct connection *c = poll->data;

	if (status < 0) {
		if (c->state == CONNECTION_ANSWERING)
			connection_lose(c);
		else
			connection_close(c);
		return;
	}
	if (events & (UV_READABLE | UV_PRIORITIZED)) {
		if (c->is_cgi)
			connection_lose(c);
		else
			connection_read(c);
	}
	if (events & UV_WRITABLE &&
	    (c->state == CONNECTION_ANSWERING || c->state == CONNECTION_ENDING))
		(void)send_unsent(c); /* it is polled for already */
}

/* Keep what did not fit: the pieces without their first n bytes. */
static int
keep_rest(struct connection *c, const struct iovec *pieces, int n_pieces,
    size_t sent, size_t total)
{
	char *p = malloc(total - sent);

	if (p == NULL)
		return -1;
	c->buffer = p;
	c->len = c->capacity = total - sent;
	c->at = 0;
	for (int i = 0; i < n_pieces; i++) {
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
		c->progress_ms = connections_now_ms(c->owner);
		return CONNECTION_SENT;
	}
	if (sent < 0 && errno == EAGAIN) {
		block(c);
		return CONNECTION_BLOCKED;
	}
	if (sent < 0 || keep_rest(c, pieces, n, (size_t)sent, len) != 0) {
		return CONNECTION_FAILED;
	}
	c->progress_ms = connections_now_ms(c->owner);
	block(c);
	return CONNECTION_PARTLY;
}

void
connection_end(struct connection *c)
{
	uint8_t end[RECORDS_END_BYTES];
	char *p;

	c->user = NULL;
	if (c->state != CONNECTION_ANSWERING)
		return;
	c->state = CONNECTION_ENDING;
	if (!c->is_cgi) {
		p = realloc(c->buffer, c->len + sizeof(end));
		if (p == NULL) {
			connection_close(c);
			return;
		}
		records_put_end(end, c->id);
		memcpy(p + c->len, end, sizeof(end));
		c->buffer = p;
		c->len += sizeof(end);
	}
	connections_wait(c);
	if (!send_unsent(c))
		block(c);
}

int
connection_answer(struct connection *c, const char *bytes, size_t len)
{
	size_t n = len / RECORDS_CONTENT_MAX + 1;
	char *out;

	assert(c->state == CONNECTION_ANSWERING && !c->is_blocked);
	out = malloc(len + n * RECORDS_HEADER_BYTES + RECORDS_END_BYTES);
	if (out == NULL)
		return -1;
	c->buffer = out;
	while (len > 0) {
		n = len < RECORDS_CONTENT_MAX ? len : RECORDS_CONTENT_MAX;
		records_put_stdout((uint8_t *)out, c->id, n);
		memcpy(out + RECORDS_HEADER_BYTES, bytes, n);
		out += RECORDS_HEADER_BYTES + n;
		bytes += n;
		len -= n;
	}
	records_put_end((uint8_t *)out, c->id);
	c->len = (size_t)(out + RECORDS_END_BYTES - c->buffer);
	c->user = NULL;
	c->state = CONNECTION_ENDING;
	if (c->input != NULL && !c->input->is_over)
		c->keeps = false; /* what is left of the body would follow */
	connections_wait(c);
	if (!send_unsent(c))
		block(c);
	return 0;
}

void
connection_abort(struct connection *c)
{
	c->user = NULL;
	connection_close(c);
}

/* ---- making ---- */

static struct connection *
new_connection(struct connections *cs, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)close(fd); /* nothing to be done if it fails */
		return NULL;
	}
	c->owner = cs;
	c->fd = fd;
	c->is_polled = uv_poll_init(cs->loop, &c->handle.poll, fd) == 0;
	if (!c->is_polled)
		(void)uv_timer_init(cs->loop, &c->handle.unused); /* cannot */
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
	connections_wait(c);
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
	c->progress_ms = connections_now_ms(cs);
	connection_listen(c); /* not on a plain file, which never blocks */
	return c;
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
