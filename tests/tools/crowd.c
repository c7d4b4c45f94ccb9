/*
 * crowd: many streams at the same time, each with a filter of its own, over
 * FastCGI without a web server.
 *
 *   usage: crowd SOCKET STREAMS TEXT
 *
 * Opens STREAMS streams, or stops when one is not answered for 2 s.  Prints how
 * many are open, were refused (503), were dropped, or wait.  At a line on
 * standard input, waits until every open stream has received TEXT or ended, and
 * prints how many have received it.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 2000
#define TEXT_MS 30000
#define KEEP 200 /* bytes, to find a text that comes in two pieces */

struct stream {
	char last[KEEP + 1];
	bool is_open;
	bool is_refused;
	bool has_text;
};

static struct pollfd *polls;
static struct stream *streams;
static size_t n;

static size_t
record(char *out, int type, const char *bytes, size_t len)
{
	const char header[8] = { 1, (char)type, 0, 1, (char)(len >> 8),
		(char)len };

	memcpy(out, header, 8);
	if (len > 0)
		memcpy(out + 8, bytes, len);
	return 8 + len;
}

static int
ask(const char *path, size_t number)
{
	static const char begin[8] = { 0, 1 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char query[64], params[128], out[512];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), len;
	size_t at;

	(void)snprintf(query, sizeof(query), "topic=t%zu*&topic=all", number);
	len = snprintf(params, sizeof(params),
	    "%c%cREQUEST_METHODGET%c%c"
	    "QUERY_STRING%s",
	    14, 3, 12, (int)strlen(query), query);
	at = record(out, 1, begin, 8);
	at += record(out + at, 4, params, (size_t)len);
	at += record(out + at, 4, NULL, 0);
	at += record(out + at, 5, NULL, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    send(fd, out, at, MSG_NOSIGNAL) != (ssize_t)at ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		perror("crowd: connect");
		exit(1);
	}
	return fd;
}

/* Is a text in the bytes received last?  NUL bytes belong to FastCGI. */
static bool
has(const struct stream *s, const char *text)
{
	return memmem(s->last, KEEP, text, strlen(text)) != NULL;
}

static void
take(size_t i, const char *text)
{
	struct stream *s = &streams[i];
	char bytes[4096];
	ssize_t len = recv(polls[i].fd, bytes, sizeof(bytes), 0);

	if (len < 0 && errno == EAGAIN)
		return;
	for (ssize_t at = 0; at < len; at += KEEP) {
		size_t more = len - at < KEEP ? (size_t)(len - at) : KEEP;

		memmove(s->last, s->last + more, KEEP - more);
		memcpy(s->last + KEEP - more, bytes + at, more);
		s->is_open = s->is_open || has(s, "\nid: ");
		s->is_refused = s->is_refused || has(s, "Status: 503");
		s->has_text = s->has_text || has(s, text);
	}
	if (len <= 0) {
		(void)close(polls[i].fd);
		polls[i].fd = -1;
	}
}

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Waits until all open streams have received the text; false if none receives
 * it for a while.  Keepalives do not count.
 */
static bool
run(const char *text, bool for_text)
{
	const int patience_ms = for_text ? TEXT_MS : ANSWER_MS;
	size_t fewest = SIZE_MAX;
	int64_t until_ms = 0;

	for (;;) {
		size_t waiting = 0;

		for (size_t i = 0; i < n; i++)
			if (polls[i].fd >= 0 &&
			    streams[i].is_open == for_text &&
			    !streams[i].has_text)
				waiting++;
		if (waiting == 0)
			return true;
		if (waiting < fewest) {
			fewest = waiting;
			until_ms = now_ms() + patience_ms;
		}
		if (now_ms() > until_ms || poll(polls, n, patience_ms) <= 0)
			return false;
		for (size_t i = 0; i < n; i++)
			if (polls[i].revents != 0)
				take(i, text);
	}
}

static void
say(bool for_text)
{
	size_t open = 0, refused = 0, got = 0, waiting = 0;

	for (size_t i = 0; i < n; i++) {
		bool is_there = polls[i].fd >= 0;

		open += is_there && streams[i].is_open ? 1 : 0;
		waiting += is_there && !streams[i].is_open ? 1 : 0;
		refused += streams[i].is_refused ? 1 : 0;
		got += streams[i].has_text ? 1 : 0;
	}
	if (for_text)
		(void)printf("got=%zu open=%zu\n", got, open);
	else
		(void)printf("open=%zu refused=%zu dropped=%zu waiting=%zu\n",
		    open, refused, n - open - refused - waiting, waiting);
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct rlimit limit;

	if (argc != 4)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* socket() tells */
	}
	n = strtoul(argv[2], NULL, 10);
	polls = calloc(n, sizeof(*polls));
	streams = calloc(n, sizeof(*streams));
	if (polls == NULL || streams == NULL)
		return 1;
	for (size_t i = 0; i < n; i++)
		polls[i].fd = -1;
	for (size_t i = 0; i < n; i++) {
		polls[i] =
		    (struct pollfd){ .fd = ask(argv[1], i), .events = POLLIN };
		if (i % 100 == 99 && !run(argv[3], false))
			n = i + 1;
	}
	(void)run(argv[3], false);
	say(false);
	if (getchar() == EOF)
		return 0;
	(void)run(argv[3], true);
	say(true);
	return 0;
}
