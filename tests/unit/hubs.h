#ifndef ROWCAST_HUBS_H
#define ROWCAST_HUBS_H

#include "logs.h"
#include "records.h"

#include <sys/socket.h>

#include "fcgi/hub.h"

/*
 * A whole responder in a test: the hub, its source and its loop, which goes
 * round only when the test says so, and web servers' ends of its connections.
 */
#define ROUNDS_MAX 100000

static struct source *source;
static struct hub *hub;
static uv_loop_t loop;

/* The first keep bytes of what has come are kept. */
struct client {
	int fd; /* 0: none */
	size_t got;
	size_t keep;
	char *bytes;
};

/* Open the log at path, with little memory for its events. */
static inline void
start(size_t replay_bytes)
{
	static struct responder_config config;
	char reason[SOURCE_WHY_MAX];

	config = (struct responder_config){ .db = path,
		.keepalive_ms = 60000,
		.retry_ms = 3000,
		.max_age_ms = 3600000,
		.stall_ms = 60000,
		.request_timeout_ms = 60000,
		.max_streams = 1000,
		.shutdown_retry_ms = 1000,
		.tail_bytes = 65536,
		.replay_bytes = replay_bytes };
	if (uv_loop_init(&loop) != 0 ||
	    (source = source_new(&config, reason)) == NULL ||
	    (hub = hub_new(&loop, &config, source)) == NULL)
		abort();
}

static inline void
stop(void)
{
	hub_free(hub);
	while (uv_loop_close(&loop) != 0)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
}

static inline void
leave(struct client *c)
{
	if (c->fd > 0)
		(void)close(c->fd);
	free(c->bytes);
	*c = (struct client){ 0 };
}

/* Send a request; id is the Last-Event-ID, or -1 for none. */
static inline void
ask(struct client *c, const char *query, int64_t id, size_t keep)
{
	static struct bytes params, request;
	int fds[2], room = 4608;
	char text[32];

	leave(c);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) != 0)
		abort();
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	params.len = 0;
	put_pair(&params, TEXT("REQUEST_METHOD"), TEXT("GET"), false);
	put_pair(&params, TEXT("QUERY_STRING"), string(query), false);
	if (id >= 0) {
		(void)snprintf(text, sizeof(text), "%" PRId64, id);
		put_pair(&params, TEXT("HTTP_LAST_EVENT_ID"), string(text),
		    false);
	}
	put_request(&request, &params);
	*c = (struct client){ .fd = fds[0], .keep = keep };
	c->bytes = malloc(keep);
	if (c->bytes == NULL ||
	    connection_open(hub_connections(hub), fds[1]) != 0 ||
	    write(c->fd, request.b, request.len) != (ssize_t)request.len)
		abort();
}

/* Receive all there is; returns whether there was anything. */
static inline bool
receive(struct client *c)
{
	size_t before = c->got;
	char bytes[65536];
	ssize_t n;

	while (c->fd > 0 &&
	    (n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		size_t len = (size_t)n, room = c->keep - c->got;

		if (c->got < c->keep)
			memcpy(c->bytes + c->got, bytes,
			    len < room ? len : room);
		c->got += len;
	}
	return c->got > before;
}

/* Are these bytes among those that are kept? */
static inline bool
has(const struct client *c, struct text t)
{
	size_t len = c->got < c->keep ? c->got : c->keep;

	return memmem(c->bytes, len, t.bytes, t.len) != NULL;
}

/* One round of the loop, which does not wait. */
static inline void
go_round(void)
{
	(void)uv_run(&loop, UV_RUN_NOWAIT);
}

/* Rounds until a client has received something. */
static inline int
rounds_until_served(struct client *c)
{
	int rounds = 0;

	while (!receive(c) && rounds < ROUNDS_MAX) {
		go_round();
		rounds++;
	}
	return rounds;
}

#endif
