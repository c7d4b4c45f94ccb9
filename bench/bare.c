/*
 * bare: the limit of what a server can do, as it does nothing but send.
 * Answers each request for a stream, over FastCGI or HTTP, with a head, and
 * sends the body of each POST to all streams by one sendmsg() each, framed as
 * rowcast frames it.  Parses and checks nothing, and drops no client.
 *
 *   usage: bare SOCKET PORT
 *
 * FastCGI is on the UNIX domain socket SOCKET, HTTP on 127.0.0.1:PORT.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS_MAX 32768
#define REQUEST_MAX 65536
#define BACKLOG 4096
#define HEADERS "Content-Type: text/event-stream\r\n\r\n"

struct bare {
	int epoll;
	int listeners[2];
	int clients[CLIENTS_MAX];
	bool is_fcgi[CLIENTS_MAX];
	int n;
	int64_t id;
	char request[REQUEST_MAX];
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void
watch(struct bare *b, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		die("epoll_ctl");
}

static void
listen_at(struct bare *b, int i, const struct sockaddr *a, socklen_t len)
{
	int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, a, len) != 0 || listen(fd, BACKLOG) != 0)
		die("listen");
	b->listeners[i] = fd;
	watch(b, fd);
}

static void
accept_one(struct bare *b, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int on = 1;

	if (fd < 0)
		return;
	if (listener == b->listeners[1])
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	watch(b, fd);
}

/* All of it, however long that takes. */
static void
send_all(int fd, struct iovec *pieces, int n, size_t len)
{
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = (size_t)n };
	ssize_t sent = sendmsg(fd, &m, MSG_NOSIGNAL);

	while (sent < (ssize_t)len) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (sent < 0 && errno != EAGAIN)
			return; /* it has left */
		for (; sent > 0; pieces++, n--) {
			size_t part = (size_t)sent < pieces->iov_len ?
			    (size_t)sent :
			    pieces->iov_len;

			pieces->iov_base = (char *)pieces->iov_base + part;
			pieces->iov_len -= part;
			sent -= (ssize_t)part;
			len -= part;
			if (pieces->iov_len > 0)
				break;
		}
		m = (struct msghdr){ .msg_iov = pieces,
			.msg_iovlen = (size_t)n };
		(void)poll(&p, 1, -1);
		sent = sendmsg(fd, &m, MSG_NOSIGNAL);
	}
}

static void
send_record(int fd, bool is_fcgi, const char *bytes, size_t len)
{
	uint8_t header[8] = { 1, 6, 0, 1, (uint8_t)(len >> 8), (uint8_t)len };
	struct iovec pieces[2] = { { header, sizeof(header) },
		{ (void *)(uintptr_t)bytes, len } };

	if (is_fcgi)
		send_all(fd, pieces, 2, sizeof(header) + len);
	else
		send_all(fd, pieces + 1, 1, len);
}

static void
add_client(struct bare *b, int fd, bool is_fcgi)
{
	const char *head = is_fcgi ? HEADERS : "HTTP/1.1 200 OK\r\n" HEADERS;

	/* it says nothing more */
	(void)epoll_ctl(b->epoll, EPOLL_CTL_DEL, fd, NULL);
	if (b->n == CLIENTS_MAX)
		die("too many");
	b->clients[b->n] = fd;
	b->is_fcgi[b->n++] = is_fcgi;
	send_record(fd, is_fcgi, head, strlen(head));
}

/* A POST comes whole, from a publisher that waits for the answer. */
static void
fan_out(struct bare *b, int fd, size_t got)
{
	static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
	char event[REQUEST_MAX + 64];
	const char *body;
	size_t length;
	int len;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t more;

		b->request[got] = '\0';
		body = strstr(b->request, "\r\n\r\n");
		length = body == NULL ?
		    0 :
		    strtoul(strcasestr(b->request, "content-length:") + 15,
			NULL, 10);
		if (body != NULL &&
		    got >= (size_t)(body + 4 - b->request) + length)
			break;
		(void)poll(&p, 1, -1);
		more = recv(fd, b->request + got, REQUEST_MAX - 1 - got, 0);
		if (more <= 0)
			return;
		got += (size_t)more;
	}
	len = snprintf(event, sizeof(event), "id: %lld\ndata: %s\n\n",
	    (long long)++b->id, body + 4);
	for (int i = 0; i < b->n; i++)
		send_record(b->clients[i], b->is_fcgi[i], event, (size_t)len);
	(void)send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
}

static void
take_request(struct bare *b, int fd)
{
	ssize_t n = recv(fd, b->request, REQUEST_MAX - 1, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		(void)close(fd);
	else if (b->request[0] == 1)
		add_client(b, fd, true);
	else if (b->request[0] == 'G')
		add_client(b, fd, false);
	else
		fan_out(b, fd, (size_t)n);
}

int
main(int argc, char **argv)
{
	static struct bare b;
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in tcp = { .sin_family = AF_INET };
	struct rlimit limit;

	if (argc != 3) {
		fprintf(stderr, "usage: bare SOCKET PORT\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* then accept fails */
	}
	b.epoll = epoll_create1(EPOLL_CLOEXEC);
	(void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", argv[1]);
	(void)unlink(argv[1]); /* of the last run */
	listen_at(&b, 0, (struct sockaddr *)&local, sizeof(local));
	tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	tcp.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	listen_at(&b, 1, (struct sockaddr *)&tcp, sizeof(tcp));
	for (;;) {
		struct epoll_event e;

		if (epoll_wait(b.epoll, &e, 1, -1) != 1)
			continue;
		if (e.data.fd == b.listeners[0] || e.data.fd == b.listeners[1])
			accept_one(&b, e.data.fd);
		else
			take_request(&b, e.data.fd);
	}
}
