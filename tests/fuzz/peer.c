/*
 * A web server's end of a connection.
 */
#include "peer.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
	BEGIN = 1,
	ABORT = 2,
	END = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	GET_VALUES = 9,
	GET_VALUES_RESULT = 10,
	UNKNOWN_TYPE = 11,
};

/* ---- opening and closing ---- */

int
peer_open(struct peer *p, int room)
{
	int fds[2];

	*p = (struct peer){ .is_clean = true, .id = 1 };
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0, fds) == 0);
	if (room > 0)
		require(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room,
			    sizeof(room)) == 0);
	p->fd = fds[0];
	return fds[1];
}

void
peer_close(struct peer *p)
{
	if (p->fd >= 0)
		(void)close(p->fd); /* nothing to be done if it fails */
	p->fd = -1;
}

bool
peer_is_free(const struct peer *p)
{
	return p->fd >= 0 && p->is_clean && !p->is_asking && !p->is_closed &&
	    !p->has_aborted && p->todo_at == p->todo_len &&
	    (!p->is_ended || p->keeps);
}

/* ---- saying ---- */

static void
put(struct peer *p, const void *bytes, size_t len)
{
	if (p->todo_at == p->todo_len)
		p->todo_at = p->todo_len = 0;
	/* what has no room is not said: then it is no clean request */
	if (len > PEER_TODO_MAX - p->todo_len) {
		len = PEER_TODO_MAX - p->todo_len;
		p->is_clean = false;
	}
	if (len > 0)
		memcpy(p->todo + p->todo_len, bytes, len);
	p->todo_len += len;
}

void
peer_record(struct peer *p, int type, unsigned id, const void *bytes,
    size_t len, size_t padding)
{
	static const uint8_t pad[255];
	const uint8_t header[8] = { 1, (uint8_t)type, (uint8_t)(id >> 8),
		(uint8_t)id, (uint8_t)(len >> 8), (uint8_t)len,
		(uint8_t)padding, 0 };

	put(p, header, sizeof(header));
	put(p, bytes, len);
	put(p, pad, padding);
}

static size_t
some_padding(struct choices *c)
{
	size_t n = choose(c, 16);

	return n < 8 ? 0 : n * 17;
}

/* In records as they are chosen. */
static void
put_run(struct peer *p, struct choices *c, int type, const uint8_t *bytes,
    size_t len)
{
	while (len > 0) {
		size_t n = choose(c, 4) == 3 ? 1 + choose(c, 20) : len;

		n = n < len ? n : len;
		peer_record(p, type, p->id, bytes, n, some_padding(c));
		bytes += n;
		len -= n;
	}
}

static size_t
put_length(uint8_t *to, size_t len, bool is_long)
{
	if (len < 128 && !is_long) {
		to[0] = (uint8_t)len;
		return 1;
	}
	to[0] = (uint8_t)(0x80 | len >> 24);
	to[1] = (uint8_t)(len >> 16);
	to[2] = (uint8_t)(len >> 8);
	to[3] = (uint8_t)len;
	return 4;
}

void
peer_ask(struct peer *p, struct choices *c, const char *const *vars)
{
	uint8_t params[PEER_TODO_MAX], begin[8] = { 0, 1 };
	unsigned kind = (unsigned)choose(c, 8);
	size_t len = 0;

	p->id = kind == 7 ? (uint16_t)(1 + choose(c, 65535)) : 1;
	p->keeps = kind % 2 == 1;
	begin[2] = p->keeps ? 1 : 0;
	for (; *vars != NULL; vars++) {
		const char *value = strchr(*vars, '=');
		size_t name_len = (size_t)(value - *vars);
		size_t value_len = strlen(++value);

		if (name_len + value_len + 8 > sizeof(params) - len)
			break;
		len += put_length(params + len, name_len, kind > 5);
		len += put_length(params + len, value_len, kind > 5);
		memcpy(params + len, *vars, name_len);
		memcpy(params + len + name_len, value, value_len);
		len += name_len + value_len;
	}
	peer_record(p, BEGIN, p->id, begin, sizeof(begin), some_padding(c));
	put_run(p, c, PARAMS, params, len);
	peer_record(p, PARAMS, p->id, NULL, 0, some_padding(c));
	p->is_asking = true;
	p->has_aborted = p->is_over = p->is_ended = false;
}

void
peer_body(struct peer *p, struct choices *c, struct text body, bool is_last)
{
	put_run(p, c, STDIN, (const uint8_t *)body.bytes, body.len);
	if (is_last)
		peer_record(p, STDIN, p->id, NULL, 0, some_padding(c));
	else
		p->keeps =
		    false; /* as nginx: it closes if it has not sent all */
}

void
peer_babble(struct peer *p, struct choices *c)
{
	static const uint8_t values[] = "\x0e\0FCGI_MAX_CONNS"
					"\x0f\0FCGI_MPXS_CONNS\1\1xy";
	struct text t;
	size_t at;

	switch (choose(c, 6)) {
	case 0: /* a management record, which may come at any time */
		if (!peer_is_free(p))
			p->is_clean = false;
		peer_record(p, choose(c, 2) == 0 ? GET_VALUES : 77, 0, values,
		    sizeof(values) - 1 - choose(c, 3), some_padding(c));
		break;
	case 1: /* given up */
		if (!p->is_asking)
			p->is_clean = false;
		p->has_aborted = true;
		peer_record(p, ABORT, p->id, NULL, 0, some_padding(c));
		break;
	case 2: /* any bytes */
		p->is_clean = false;
		t = choose_text(c, 64);
		put(p, t.bytes, t.len);
		break;
	case 3: /* any record */
		p->is_clean = false;
		t = choose_text(c, 64);
		at = choose(c, 16);
		peer_record(p, (int)at, (unsigned)choose(c, 4), t.bytes, t.len,
		    some_padding(c));
		break;
	default: /* another byte in what is to be sent */
		if (p->todo_at == p->todo_len)
			return;
		p->is_clean = false;
		at = p->todo_at +
		    choose(c, 1 << 20) % (p->todo_len - p->todo_at);
		p->todo[at] ^= (uint8_t)(1 + choose(c, 255));
		break;
	}
}

void
peer_send(struct peer *p, size_t max)
{
	size_t len = p->todo_len - p->todo_at;
	ssize_t n;

	if (p->fd < 0 || len == 0)
		return;
	n = send(p->fd, p->todo + p->todo_at, len < max ? len : max,
	    MSG_NOSIGNAL);
	if (n > 0)
		p->todo_at += (size_t)n, p->moved += (size_t)n;
	else
		require(
		    errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
}

/* ---- receiving ---- */

/* One whole record. */
static void
take_record(struct peer *p, const uint8_t *r, const struct peer_handler *h,
    void *cookie)
{
	size_t len = (size_t)r[4] << 8 | r[5];
	unsigned id = (unsigned)r[2] << 8 | r[3];

	require(r[0] == 1);
	switch (r[1]) {
	case STDOUT:
		require(!p->is_clean ||
		    (p->is_asking && id == p->id && !p->is_over));
		p->is_over = len == 0;
		if (len > 0)
			h->content(cookie, (const char *)r + 8, len);
		break;
	case END:
		require(len == 8 && r[12] == 0);
		require(!p->is_clean ||
		    (p->is_asking && id == p->id && p->is_over));
		p->is_asking = false;
		p->is_ended = true;
		h->end(cookie);
		break;
	default:
		require(id == 0);
		require(r[1] == GET_VALUES_RESULT || r[1] == UNKNOWN_TYPE);
		break;
	}
}

static void
take_records(struct peer *p, const struct peer_handler *h, void *cookie)
{
	size_t at = 0;

	for (;;) {
		const uint8_t *r = p->in + at;
		size_t len;

		if (p->in_len - at < 8)
			break;
		len = 8 + ((size_t)r[4] << 8 | r[5]) + r[6];
		if (p->in_len - at < len)
			break;
		take_record(p, r, h, cookie);
		at += len;
	}
	p->in_len -= at;
	memmove(p->in, p->in + at, p->in_len);
}

void
peer_receive(struct peer *p, size_t max, const struct peer_handler *h,
    void *cookie)
{
	while (p->fd >= 0 && !p->is_closed && max > 0) {
		size_t room = sizeof(p->in) - p->in_len;
		ssize_t n =
		    recv(p->fd, p->in + p->in_len, room < max ? room : max, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			p->is_closed = true;
			return;
		}
		max -= (size_t)n;
		p->in_len += (size_t)n;
		p->moved += (size_t)n;
		take_records(p, h, cookie);
	}
}
