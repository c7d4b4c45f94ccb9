/*
 * post: clients that publish one event after the other, each waiting for its
 * answer; or one client that commits rows to the log itself (--db).
 *
 *   usage: post --target http://HOST:PORT/PATH|fcgi:SOCKET | --db LOG
 *               [--clients N] [--seconds S] [--size BYTES] [--token TOKEN]
 *               [--no-sync]
 *
 * Connections are kept alive, and opened again when the server closes them.
 * Prints one line: answered (2xx), refused, per_second, p50_us, p99_us.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log/log.h"
#include "clock.h"
#include "histogram.h"
#include "target.h"

#define CLIENTS_MAX 4096
#define REQUEST_MAX 4096
#define ANSWER_MAX 4096

struct post {
	int fd;
	int64_t asked_ns;
	char answer[ANSWER_MAX];
	size_t len;
};

struct options {
	const char *db;
	const char *token;
	struct target target;
	size_t clients;
	double seconds;
	size_t size;
	bool no_sync;
};

struct totals {
	uint64_t answered;
	uint64_t refused;
	struct histogram took;
};

/* ---- what is sent ---- */

static size_t
record(char *out, char type, size_t len)
{
	const char header[8] = { 1, type, 0, 1, (char)(len >> 8),
		(char)(len & 0xff), 0, 0 };

	memcpy(out, header, sizeof(header));
	return sizeof(header) + len;
}

/* One request is like the other: made once. */
static size_t
make_request(const struct options *o, char *out)
{
	char authorization[256], length[24], body[1024];
	size_t at = 16, len;

	memset(body, 'x', sizeof(body));
	len = o->size < sizeof(body) ? o->size : sizeof(body);
	(void)snprintf(authorization, sizeof(authorization), "Bearer %.200s",
	    o->token);
	(void)snprintf(length, sizeof(length), "%zu", len);
	if (!o->target.is_fcgi)
		return (size_t)snprintf(out, REQUEST_MAX,
		    "POST %s HTTP/1.1\r\nHost: %s\r\n"
		    "Content-Type: text/plain\r\nAuthorization: %s\r\n"
		    "Content-Length: %s\r\n\r\n%.*s",
		    o->target.path, o->target.host, authorization, length,
		    (int)len, body);
	/* BEGIN_REQUEST: responder, to be kept */
	(void)record(out, 1, 8);
	memcpy(out + 8, "\0\1\1\0\0\0\0", 8);
	at += 8;
	at += target_param((uint8_t *)out + at, "REQUEST_METHOD", "POST");
	at += target_param((uint8_t *)out + at, "CONTENT_TYPE", "text/plain");
	at += target_param((uint8_t *)out + at, "CONTENT_LENGTH", length);
	at += target_param((uint8_t *)out + at, "HTTP_AUTHORIZATION",
	    authorization);
	(void)record(out + 16, 4, at - 24);
	at += record(out + at, 4, 0);
	memcpy(out + at + 8, body, len);
	at += record(out + at, 5, len);
	at += record(out + at, 5, 0);
	return at;
}

/* ---- what comes back ---- */

/* Is the answer whole?  1 if so, 0 if not yet, -1 if it is none. */
static int
is_whole_http(const struct post *p, bool *is_ok)
{
	const char *end = memmem(p->answer, p->len, "\r\n\r\n", 4), *length;
	size_t n = 0;

	if (end == NULL)
		return 0;
	*is_ok = strncmp(p->answer, "HTTP/1.1 2", 10) == 0;
	length = strcasestr(p->answer, "\r\ncontent-length:");
	if (length == NULL || length > end) /* one chunk, as lighttpd sends */
		return memmem(end, (size_t)(p->answer + p->len - end),
			   "\r\n0\r\n\r\n", 7) != NULL;
	n = strtoul(length + 17, NULL, 10);
	return p->len >= (size_t)(end + 4 - p->answer) + n;
}

static int
is_whole_fcgi(const struct post *p, bool *is_ok)
{
	size_t at = 0;

	while (p->len - at >= 8) {
		const unsigned char *r = (const unsigned char *)p->answer + at;
		size_t total = 8 + (size_t)(r[4] << 8 | r[5]) + r[6];

		if (p->len - at < total)
			return 0;
		if (at == 0)
			*is_ok = memcmp(p->answer + 8, "Status: 2", 9) == 0;
		if (r[1] == 3)
			return 1;
		at += total;
	}
	return 0;
}

/* ---- clients ---- */

static int
ask(struct post *p, const char *request, size_t len)
{
	p->len = 0;
	p->answer[0] = '\0';
	p->asked_ns = clock_now_ns();
	return send(p->fd, request, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

static int
connect_one(const struct options *o, struct post *p, int poll, uint32_t index)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = index };

	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = target_connect(&o->target);
	return p->fd < 0 ? -1 : epoll_ctl(poll, EPOLL_CTL_ADD, p->fd, &e);
}

static int
take(const struct options *o, struct post *p, struct totals *t)
{
	ssize_t n = recv(p->fd, p->answer + p->len, ANSWER_MAX - 1 - p->len, 0);
	bool is_ok = false;
	int whole;

	if (n <= 0)
		return -1;
	p->len += (size_t)n;
	p->answer[p->len] = '\0';
	whole = o->target.is_fcgi ? is_whole_fcgi(p, &is_ok) :
				    is_whole_http(p, &is_ok);
	if (whole != 1)
		return whole;
	histogram_add(&t->took, clock_now_ns() - p->asked_ns);
	if (is_ok)
		t->answered++;
	else if (t->refused++ == 0)
		fprintf(stderr, "post: %.300s\n",
		    p->answer + (o->target.is_fcgi ? 8 : 0));
	return 1;
}

/* Connect again where that is needed, and ask. */
static int
go_on(const struct options *o, struct post *p, int poll, uint32_t index,
    bool is_connected, const char *request, size_t len)
{
	if (is_connected && ask(p, request, len) == 0)
		return 0;
	if (connect_one(o, p, poll, index) != 0)
		return -1;
	return ask(p, request, len);
}

static int
run_posts(const struct options *o, struct totals *t, struct post *posts,
    int poll)
{
	int64_t end = clock_now_ns() + (int64_t)(o->seconds * 1e9);
	char request[REQUEST_MAX];
	size_t len = make_request(o, request);

	for (size_t i = 0; i < o->clients; i++) {
		posts[i].fd = -1;
		if (go_on(o, &posts[i], poll, (uint32_t)i, false, request,
			len) != 0)
			return -1;
	}
	while (clock_now_ns() < end) {
		struct epoll_event ready[256];
		int n = epoll_wait(poll, ready, 256, 100);

		for (int i = 0; i < n; i++) {
			uint32_t index = ready[i].data.u32;
			int got = take(o, &posts[index], t);

			if (got != 0 &&
			    go_on(o, &posts[index], poll, index, got > 0,
				request, len) != 0)
				return -1;
		}
	}
	return 0;
}

static int
run_clients(const struct options *o, struct totals *t)
{
	struct post *posts = calloc(o->clients, sizeof(*posts));
	int poll = epoll_create1(EPOLL_CLOEXEC);
	int result = -1;

	/* connections end with the process */
	if (posts != NULL && poll >= 0)
		result = run_posts(o, t, posts, poll);
	free(posts);
	if (poll >= 0)
		(void)close(poll);
	return result;
}

/* The limit: a process that commits by itself. */
static int
run_commits(const struct options *o, struct totals *t)
{
	struct log_options lo = { .path = o->db,
		.create = true,
		.append = true,
		.no_sync = o->no_sync,
		.busy_ms = 5000 };
	int64_t end = clock_now_ns() + (int64_t)(o->seconds * 1e9), now;
	char data[1024], why[LOG_WHY_MAX];
	struct event e = { .topic = { "", 0 },
		.name = { EVENT_DEFAULT_NAME, sizeof(EVENT_DEFAULT_NAME) - 1 },
		.data = { data, o->size },
		.retry_ms = EVENT_NO_RETRY };
	struct log_receipt receipt;
	struct log *log;
	size_t culprit;

	memset(data, 'x', sizeof(data));
	if (log_open(&lo, &log, why) != LOG_OK) {
		fprintf(stderr, "post: %s: %s\n", o->db, why);
		return -1;
	}
	while ((now = clock_now_ns()) < end) {
		if (log_append(log, &e, 1, &receipt, &culprit) != LOG_OK)
			return -1;
		t->answered++;
		histogram_add(&t->took, clock_now_ns() - now);
	}
	log_close(log);
	return 0;
}

static void __attribute__((noreturn)) usage(void)
{
	fprintf(stderr,
	    "usage: post --target http://HOST:PORT/PATH|fcgi:SOCKET"
	    " | --db LOG\n"
	    "\t[--clients N] [--seconds S] [--size BYTES] [--token TOKEN]"
	    " [--no-sync]\n");
	exit(2);
}

static void
read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "target", 1, NULL, 't' },
		{ "db", 1, NULL, 'd' },
		{ "clients", 1, NULL, 'n' },
		{ "seconds", 1, NULL, 's' },
		{ "size", 1, NULL, 'z' },
		{ "token", 1, NULL, 'k' },
		{ "no-sync", 0, NULL, 'y' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .token = "",
		.clients = 1,
		.seconds = 3,
		.size = 100 };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 't' && target_parse(optarg, &o->target) == 0)
			continue;
		if (c == 'd')
			o->db = optarg;
		else if (c == 'n')
			o->clients = strtoul(optarg, NULL, 10);
		else if (c == 's')
			o->seconds = strtod(optarg, NULL);
		else if (c == 'z')
			o->size = strtoul(optarg, NULL, 10);
		else if (c == 'k')
			o->token = optarg;
		else if (c == 'y')
			o->no_sync = true;
		else
			usage();
	}
	if (optind != argc || o->clients < 1 || o->clients > CLIENTS_MAX ||
	    o->size < 1 || o->size > 1024 ||
	    (o->db == NULL) == (o->target.path[0] == '\0'))
		usage();
}

int
main(int argc, char **argv)
{
	static struct totals t;
	struct options o;
	int64_t began;
	double seconds;

	read_options(argc, argv, &o);
	began = clock_now_ns();
	if ((o.db != NULL ? run_commits(&o, &t) : run_clients(&o, &t)) != 0) {
		fprintf(stderr, "post: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	seconds = (double)(clock_now_ns() - began) / 1e9;
	printf("clients=%zu answered=%llu refused=%llu per_second=%.0f"
	       " p50_us=%.1f p99_us=%.1f\n",
	    o.clients, (unsigned long long)t.answered,
	    (unsigned long long)t.refused, (double)t.answered / seconds,
	    (double)histogram_quantile(&t.took, 0.5) / 1e3,
	    (double)histogram_quantile(&t.took, 0.99) / 1e3);
	return EXIT_SUCCESS;
}
