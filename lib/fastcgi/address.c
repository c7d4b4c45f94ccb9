/*
 * Listening sockets at a path or a port, and lists of peers.
 */
#include "address.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 4096
#define PORT_MAX 65535

/* Returns whether a process listens at this path, even if it hangs (EAGAIN). */
static bool
is_in_use(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answer;

	if (fd < 0)
		return true;
	answer = connect(fd, (const struct sockaddr *)address,
		     sizeof(*address)) == 0 ||
	    errno != ECONNREFUSED;
	(void)close(fd); /* holds no data of ours */
	return answer;
}

static int
open_path(const char *path, mode_t mode, char why[ADDRESS_WHY_MAX])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		(void)snprintf(why, ADDRESS_WHY_MAX,
		    "the path is longer than %zu bytes: choose a shorter one",
		    sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			(void)snprintf(why, ADDRESS_WHY_MAX,
			    "exists, but is not a socket: choose another path");
			return -1;
		}
		if (is_in_use(&address)) {
			(void)snprintf(why, ADDRESS_WHY_MAX,
			    "another program listens there: stop it or choose"
			    " another path");
			return -1;
		}
		(void)unlink(path); /* if it fails, bind() reports it */
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(path, mode) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	(void)snprintf(why, ADDRESS_WHY_MAX, "%s", strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* holds no data of ours */
	return -1;
}

static int
bind_first(const struct addrinfo *list)
{
	int fd = -1, on = 1;

	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		fd = socket(a->ai_family,
		    a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    a->ai_protocol);
		if (fd < 0)
			continue;
		/* if it fails, bind() reports it */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
		    listen(fd, BACKLOG) == 0)
			return fd;
		(void)close(fd); /* holds no data of ours */
	}
	return -1;
}

/* A number from 1 to PORT_MAX: getaddrinfo() would take a larger one modulo
   65536, and 0 as any port. */
static bool
is_port(const char *s)
{
	size_t len = strspn(s, "0123456789");
	long port = strtol(s, NULL, 10);

	return len > 0 && s[len] == '\0' && port >= 1 && port <= PORT_MAX;
}

/* HOST:PORT, [HOST]:PORT or :PORT (loopback) */
static int
open_port(const char *where, char why[ADDRESS_WHY_MAX])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE };
	const char *colon = strrchr(where, ':');
	struct addrinfo *list;
	char host[256];
	size_t len = (size_t)(colon - where);
	int rc, fd;

	if (!is_port(colon + 1)) {
		(void)snprintf(why, ADDRESS_WHY_MAX,
		    "the port must be a number from 1 to %d", PORT_MAX);
		return -1;
	}
	if (len > 1 && where[0] == '[' && where[len - 1] == ']') {
		where++;
		len -= 2;
	}
	(void)snprintf(host, sizeof(host), "%.*s", (int)len, where);
	rc =
	    getaddrinfo(len > 0 ? host : "127.0.0.1", colon + 1, &hints, &list);
	if (rc != 0) {
		(void)snprintf(why, ADDRESS_WHY_MAX, "%s", gai_strerror(rc));
		return -1;
	}
	fd = bind_first(list);
	if (fd < 0)
		(void)snprintf(why, ADDRESS_WHY_MAX, "%s", strerror(errno));
	freeaddrinfo(list);
	return fd;
}

bool
address_is_path(const char *address)
{
	return strchr(address, '/') != NULL || strchr(address, ':') == NULL;
}

int
address_listen(const char *address, mode_t mode, char why[ADDRESS_WHY_MAX])
{
	return address_is_path(address) ? open_path(address, mode, why) :
					  open_port(address, why);
}

bool
address_is_listed(const char *list, const char *address)
{
	size_t len = strlen(address);

	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, address, len) == 0)
			return true;
		list += n + (list[n] == ',' ? 1 : 0);
	}
	return false;
}
