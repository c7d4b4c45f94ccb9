/*
 * Listening sockets at a path or a port, and lists of peers.
 */
#include "address.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/value.h"

#define BACKLOG 4096
#define PORT_MAX 65535
#define PATH_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

bool
address_is_path(const char *address)
{
	return strchr(address, '/') != NULL || strchr(address, ':') == NULL;
}

/* ---- options ---- */

/* A number from 1 to PORT_MAX: getaddrinfo() would take a larger one modulo
   65536, and 0 as any port. */
static bool
is_port(const char *s)
{
	size_t len = strspn(s, "0123456789");
	long port = strtol(s, NULL, 10);

	return len > 0 && s[len] == '\0' && port >= 1 && port <= PORT_MAX;
}

enum options_result
address_option(void *field, const char *value, char *why)
{
	if (value[0] == '\0')
		return value_refuse(why, "'' is empty");
	if (value[strspn(value, "0123456789.")] == '\0')
		return value_refuse(why,
		    "'%.40s' is not PATH or HOST:PORT: write :8080 for a port,"
		    " ./%.40s for a file",
		    value, value);
	if (strstr(value, "://") != NULL || strncmp(value, "unix:", 5) == 0)
		return value_refuse(why,
		    "'%.80s' is a URL: write PATH or HOST:PORT alone", value);
	if (address_is_path(value) && strlen(value) > PATH_BYTES)
		return value_refuse(why,
		    "%.40s...: the path is longer than %zu bytes: choose a"
		    " shorter one",
		    value, PATH_BYTES);
	if (!address_is_path(value) && !is_port(strrchr(value, ':') + 1))
		return value_refuse(why,
		    "%.80s: the port must be a number from 1 to %d", value,
		    PORT_MAX);
	*(const char **)field = value;
	return OPTIONS_OK;
}

/* ---- paths ---- */

__attribute__((format(printf, 2, 3))) static int
fail(char why[ADDRESS_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(why, ADDRESS_WHY_MAX, format, args) < 0)
		why[0] = '\0';
	va_end(args);
	return -1;
}

/* Say in words why no socket can be made at a path.  Returns -1. */
static int
fail_path(const char *path, int error, char why[ADDRESS_WHY_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *folder = slash != NULL ? path : ".";
	int len = slash != NULL && slash > path ? (int)(slash - path) : 1;

	if (error == ENOENT)
		return fail(why,
		    "the folder %.*s is missing: create it (systemd:"
		    " RuntimeDirectory=), or choose another path",
		    len, folder);
	if (error == ENOTDIR)
		return fail(why, "%.*s is not a folder: choose another path",
		    len, folder);
	if (error == EACCES)
		return fail(why,
		    "this program's user must be allowed to write in the"
		    " folder %.*s: give it to that user, or choose another"
		    " path",
		    len, folder);
	return fail(why, "%s: choose another path", strerror(error));
}

/* Try to connect to a socket.  Returns 0, or the error: EAGAIN if a process
   listens there and hangs. */
static int
connect_error(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) !=
	    0)
		error = errno;
	(void)close(fd); /* holds no data of ours */
	return error;
}

/* Remove a socket on which no process listens. */
static int
remove_old(const struct sockaddr_un *address, char why[ADDRESS_WHY_MAX])
{
	const char *path = address->sun_path;
	struct stat st;
	int error;

	if (lstat(path, &st) != 0)
		return 0; /* bind() reports what else is wrong */
	if (S_ISDIR(st.st_mode))
		return fail(why, "is a folder: name a socket in it");
	if (!S_ISSOCK(st.st_mode))
		return fail(why,
		    "exists, but is not a socket: choose another path");
	error = connect_error(address);
	if (error == ECONNREFUSED)
		error = unlink(path) == 0 ? ENOENT : errno;
	if (error == ENOENT)
		return 0;
	if (error == EACCES || error == EPERM)
		return fail(why,
		    "another user's socket is there: remove it, or choose"
		    " another path");
	return fail(why,
	    "another program listens there: stop it or choose another path");
}

static int
open_path(const char *path, mode_t mode, char why[ADDRESS_WHY_MAX])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	assert(len <= PATH_BYTES); /* address_option() */
	memcpy(address.sun_path, path, len + 1);
	if (remove_old(&address, why) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(path, mode) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	(void)fail_path(path, errno, why);
	if (fd >= 0)
		(void)close(fd); /* holds no data of ours */
	return -1;
}

/* ---- ports ---- */

/* Say in words why a port cannot be listened on.  Returns -1. */
static int
fail_port(int error, char why[ADDRESS_WHY_MAX])
{
	return fail(why, "%s: %s", strerror(error),
	    error == EADDRINUSE ? "stop the program that listens there, or"
				  " choose another port" :
		error == EACCES ? "choose a port from 1024 on" :
		error == EADDRNOTAVAIL ?
				  "use an address of this machine, such as"
				  " 127.0.0.1" :
				  "choose another address");
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
		(void)close(fd); /* holds no data of ours; keeps errno */
	}
	return -1;
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

	if (len > 1 && where[0] == '[' && where[len - 1] == ']') {
		where++;
		len -= 2;
	}
	(void)snprintf(host, sizeof(host), "%.*s", (int)len, where);
	rc =
	    getaddrinfo(len > 0 ? host : "127.0.0.1", colon + 1, &hints, &list);
	if (rc != 0)
		return fail(why, "%s: write the host as a numeric address",
		    gai_strerror(rc));
	fd = bind_first(list);
	if (fd < 0)
		(void)fail_port(errno, why);
	freeaddrinfo(list);
	return fd;
}

int
address_listen(const char *address, mode_t mode, char why[ADDRESS_WHY_MAX])
{
	return address_is_path(address) ? open_path(address, mode, why) :
					  open_port(address, why);
}

/* ---- peers ---- */

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
