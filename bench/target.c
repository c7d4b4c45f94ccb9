/*
 * The address of a stream, and its request over HTTP or FastCGI.
 */
#include "target.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
target_parse(const char *text, struct target *t)
{
	memset(t, 0, sizeof(*t));
	if (strncmp(text, "fcgi:", 5) == 0) {
		t->is_fcgi = true;
		return snprintf(t->path, sizeof(t->path), "%s", text + 5) <
			(int)sizeof(t->path) ?
		    0 :
		    -1;
	}
	return sscanf(text, "http://%127[^:/]:%15[0-9]%511s", t->host, t->port,
		   t->path) == 3 ?
	    0 :
	    -1;
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

int
target_connect(const struct target *t)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int fd, on = 1;

	if (t->is_fcgi)
		return connect_unix(t->path);
	if (getaddrinfo(t->host, t->port, &hints, &list) != 0)
		return -1;
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
		(void)close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

size_t
target_param(uint8_t *out, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value), at = 0;

	out[at++] = (uint8_t)n;
	if (v >= 128) {
		out[at++] = (uint8_t)(0x80 | v >> 24);
		out[at++] = (uint8_t)(v >> 16);
		out[at++] = (uint8_t)(v >> 8);
	}
	out[at++] = (uint8_t)v;
	memcpy(out + at, name, n);
	memcpy(out + at + n, value, v);
	return at + n + v;
}

static int
ask_fcgi(int fd, const char *query, const char *last_event_id)
{
	uint8_t b[TARGET_QUERY_MAX + 1024] = { 1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0,
		0, 0, 0, 0, 0, 1, 4, 0, 1 };
	size_t at = 24, params;

	at += target_param(b + at, "REQUEST_METHOD", "GET");
	at += target_param(b + at, "QUERY_STRING", query);
	if (last_event_id != NULL)
		at += target_param(b + at, "HTTP_LAST_EVENT_ID", last_event_id);
	params = at - 24;
	b[20] = (uint8_t)(params >> 8);
	b[21] = (uint8_t)(params & 0xff);
	memcpy(b + at, "\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0", 16);
	at += 16;
	return send(fd, b, at, MSG_NOSIGNAL) == (ssize_t)at ? 0 : -1;
}

int
target_ask(const struct target *t, int fd, const char *query,
    const char *last_event_id)
{
	char head[TARGET_QUERY_MAX + 2048];
	int n;

	if (t->is_fcgi)
		return ask_fcgi(fd, query, last_event_id);
	n = snprintf(head, sizeof(head),
	    "GET %s%s%s HTTP/1.1\r\nHost: %s\r\n"
	    "Accept: text/event-stream\r\n%s%s%s\r\n",
	    t->path,
	    *query == '\0'           ? "" :
		strchr(t->path, '?') ? "&" :
				       "?",
	    query, t->host, last_event_id != NULL ? "Last-Event-ID: " : "",
	    last_event_id != NULL ? last_event_id : "",
	    last_event_id != NULL ? "\r\n" : "");
	return send(fd, head, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -1;
}
