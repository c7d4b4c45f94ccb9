/*
 * The streams of the load client.
 */
#include "client.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define READ_BYTES 262144
#define WAKES_MAX 512
#define OPEN_AT_ONCE 16 /* between two looks at what has come */

struct stream {
	int fd;
	struct reader reader;
	int64_t wanted; /* events, until it is done; 0: no end */
};

struct client_private {
	const struct options *options;
	struct stream *streams;
	int epoll;
	char *buffer;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

void
client_init(struct client *c, const struct options *o)
{
	size_t n = (size_t)(o->streams > 0 ? o->streams : 1);

	*c = (struct client){ .own = calloc(1, sizeof(*c->own)) };
	if (c->own == NULL)
		die("start");
	c->own->options = o;
	c->own->streams = calloc(n, sizeof(*c->own->streams));
	c->own->buffer = malloc(READ_BYTES);
	c->own->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->own->streams == NULL || c->own->buffer == NULL ||
	    c->own->epoll < 0)
		die("start");
	for (size_t i = 0; i < n; i++)
		c->own->streams[i].fd = -1;
}

void
client_free(struct client *c)
{
	(void)close(c->own->epoll);
	free(c->own->buffer);
	free(c->own->streams);
	free(c->own);
}

/* What stream i asks for. */
static int
ask(const struct options *o, int64_t i, int fd)
{
	char query[TARGET_QUERY_MAX], id[32];
	int64_t after = o->after + i * o->stride % o->spread;

	(void)snprintf(query, sizeof(query), "%s%s",
	    o->queries != NULL ? o->queries[i % o->n_queries] : "", o->query);
	if (o->topics > 0)
		(void)snprintf(query, sizeof(query), "%s%stopic=%s%lld",
		    o->query, *o->query != '\0' ? "&" : "", o->prefix,
		    (long long)(i % o->topics));
	(void)snprintf(id, sizeof(id), "%lld", (long long)after);
	return target_ask(&o->target, fd, query, o->after >= 0 ? id : NULL);
}

void
client_open(struct client *c, int64_t i)
{
	const struct options *o = c->own->options;
	struct stream *s = &c->own->streams[i % o->streams];
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };

	reader_init(&s->reader, o->target.is_fcgi ? READER_FCGI : READER_HTTP);
	if (o->topics > 0)
		s->reader.only_every = o->topics;
	if (o->events > 0)
		s->wanted =
		    o->events + o->spread - 1 - i * o->stride % o->spread;
	s->fd = target_connect(&o->target);
	if (s->fd < 0)
		die("connect");
	if (ask(o, i, s->fd) != 0)
		die("ask");
	if (fcntl(s->fd, F_SETFL, O_NONBLOCK) != 0 ||
	    epoll_ctl(c->own->epoll, EPOLL_CTL_ADD, s->fd, &e) != 0)
		die("epoll_ctl");
}

void
client_close(struct client *c, int64_t i)
{
	struct stream *s = &c->own->streams[i % c->own->options->streams];

	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

static void
read_stream(struct client *c, struct stream *s)
{
	bool was_open = s->reader.is_open;
	ssize_t n;

	n = recv(s->fd, c->own->buffer, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c->closed++;
		(void)close(s->fd);
		s->fd = -1;
		return;
	}
	reader_take(&s->reader, c->own->buffer, (size_t)n, clock_now_ns(),
	    &c->totals);
	if (!was_open && s->reader.is_open)
		c->opened++;
	if (s->wanted > 0 && s->reader.events >= s->wanted) {
		s->wanted = 0;
		c->done++;
	}
}

void
client_read(struct client *c, int timeout_ms)
{
	struct epoll_event events[WAKES_MAX];
	int n = epoll_wait(c->own->epoll, events, WAKES_MAX, timeout_ms);

	for (int i = 0; i < n; i++) {
		struct stream *s = events[i].data.ptr;

		if (s->fd >= 0)
			read_stream(c, s);
	}
}

void
client_read_for(struct client *c, double seconds)
{
	int64_t end = clock_now_ns() + (int64_t)(seconds * 1e9);

	while (clock_now_ns() < end)
		client_read(c, 20);
}

void
client_open_all(struct client *c)
{
	const struct options *o = c->own->options;
	int64_t deadline = clock_now_ns() + (int64_t)(o->timeout_s * 1e9);

	for (int64_t i = 0; i < o->streams; i++) {
		client_open(c, i);
		if (i % OPEN_AT_ONCE == 0)
			client_read(c, 0);
		while (i - c->opened >= o->opening && clock_now_ns() < deadline)
			client_read(c, 20);
	}
	while (c->opened < o->streams && clock_now_ns() < deadline)
		client_read(c, 100);
	if (c->opened < o->streams)
		fprintf(stderr, "load: %lld of %lld streams opened\n",
		    (long long)c->opened, (long long)o->streams);
}

void
client_stall(struct client *c, bool on)
{
	for (int64_t i = 0; i < c->own->options->streams; i++) {
		struct stream *s = &c->own->streams[i];
		struct epoll_event e = { .events = on ? 0 : EPOLLIN,
			.data.ptr = s };

		if (s->fd >= 0)
			(void)epoll_ctl(c->own->epoll, EPOLL_CTL_MOD, s->fd,
			    &e);
	}
}
