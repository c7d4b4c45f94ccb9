/*
 * The socket on which web servers connect.
 *
 * Accepting pauses when all places are taken or descriptors run out: who waits
 * in the backlog costs nothing, and a failing accept would be a busy loop.
 */
#include "listener.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/throttle.h"
#include "lib/loop/loop.h"
#include "lib/loop/timer.h"
#include "lib/memory.h"
#include "lib/warn.h"

#define BACKLOG 4096
#define ACCEPTS_MAX 64       /* in one go, then others have their turn */
#define PAUSE_MS 100         /* when descriptors have run out */
#define SPARE_DESCRIPTORS 16 /* for reading requests and for the log */
#define SPARE_BYTES 4194304  /* likewise: the pages of the log, new events */
#define WATCHED 1000         /* descriptors for which libuv has memory early */
#define SEND_BUFFER 32768    /* bytes a stalled client holds in the kernel */

struct listener {
	uv_poll_t poll;
	uv_timer_t timer;
	struct listener_options options;
	struct connections *connections;
	struct throttle refused; /* of peers that may not connect */
	char *path;              /* of our own socket, or NULL */
	ino_t inode;
	int fd;
	int open_handles;
	int descriptors; /* that a process may have */
	bool is_paused;
	bool is_short; /* of descriptors, and the operator knows */
	bool is_local; /* AF_UNIX: the file's mode says who may connect */
};

/* ---- who may connect ---- */

static bool
is_listed(const char *list, const char *address)
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

/* Tell of one; others in the same while are not told, or anybody could fill the
   log of diagnostics. */
static void
tell_refused(struct listener *l, const char *address)
{
	if (!throttle_raise(&l->refused, (int64_t)uv_now(l->poll.loop)))
		return;
	warn_line("listener: %s is not in FCGI_WEB_SERVER_ADDRS: refused",
	    address);
	(void)throttle_clear(&l->refused); /* the next is another's */
}

static bool
may_connect(struct listener *l, const struct sockaddr_storage *peer,
    socklen_t len)
{
	static const char mapped[] = "::ffff:";
	char address[NI_MAXHOST];
	const char *a = address;

	if (l->is_local)
		return true;
	if (getnameinfo((const struct sockaddr *)peer, len, address,
		sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
		return false;
	if (strncmp(a, mapped, sizeof(mapped) - 1) == 0)
		a += sizeof(mapped) - 1;
	if (is_listed(l->options.web_servers, a))
		return true;
	tell_refused(l, a);
	return false;
}

/* ---- accepting ---- */

static void on_connection(uv_poll_t *poll, int status, int events);

static void
listen_on(struct listener *l)
{
	l->is_paused = false;
	/* cannot fail on an open handle */
	(void)uv_poll_start(&l->poll, UV_READABLE, on_connection);
}

static void
on_pause_over(uv_timer_t *timer)
{
	listen_on(timer->data);
}

static void
pause_accepting(struct listener *l)
{
	l->is_paused = true;
	(void)uv_poll_stop(&l->poll); /* cannot fail */
}

static bool
is_full(const struct listener *l)
{
	return connections_count(l->connections) >= l->options.max_connections;
}

static void
run_short(struct listener *l)
{
	if (!l->is_short)
		warn_line("listener: accept: %s; raise the limit of %s"
			  " or lower %s",
		    strerror(errno), errno == ENOMEM ? "memory" : "open files",
		    l->options.limit_name);
	l->is_short = true;
	pause_accepting(l);
	timer_start(&l->timer, on_pause_over, PAUSE_MS);
}

/* Is there a descriptor for one more, and some to serve it?  They are given out
   from the lowest up.  And the memory to serve all that are here?  Sets errno if
   not. */
static bool
has_room(const struct listener *l)
{
	int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		(void)close(fd); /* the listening socket has another */
	errno = EMFILE;
	if (fd < 0 || fd >= l->descriptors - SPARE_DESCRIPTORS)
		return false;
	errno = ENOMEM;
	return loop_has_room(l->poll.loop, fd) && memory_is_free(SPARE_BYTES);
}

/* Returns false if there is nobody more, or no more can be taken. */
static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd, size = SEND_BUFFER;

	if (!has_room(l)) {
		run_short(l);
		return false;
	}
	fd = accept4(l->fd, (struct sockaddr *)&peer, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EINTR || errno == ECONNABORTED)
			return true;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			run_short(l);
		else
			l->is_short = false; /* nobody waits */
		return false;
	}
	if (!may_connect(l, &peer, len)) {
		(void)close(fd); /* nothing to be done if it fails */
		return true;
	}
	/* if it fails, a stalled client holds more memory: no more than that */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connection_open(l->connections, fd) != 0)
		warn_line("listener: out of memory for a connection");
	return true;
}

static void
on_connection(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	(void)status; /* accept() says what is the matter */
	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		if (is_full(l)) {
			pause_accepting(l);
			return;
		}
		if (!accept_one(l))
			return;
	}
}

void
listener_resume(struct listener *l)
{
	if (l->is_paused && !timer_is_running(&l->timer) && !is_full(l))
		listen_on(l);
}

/* ---- opening ---- */

/* Does anybody listen at this path?  One who hangs does (EAGAIN). */
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
	(void)close(fd); /* nothing of ours is in it */
	return answer;
}

static int
open_path(const char *path, mode_t mode, char why[LISTENER_WHY_MAX])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		(void)snprintf(why, LISTENER_WHY_MAX,
		    "the path is longer than"
		    " %zu bytes: choose a shorter one",
		    sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			(void)snprintf(why, LISTENER_WHY_MAX,
			    "is there and no socket: choose another path");
			return -1;
		}
		if (is_in_use(&address)) {
			(void)snprintf(why, LISTENER_WHY_MAX,
			    "another program"
			    " listens there: stop it or choose another path");
			return -1;
		}
		(void)unlink(path); /* bind() says if it is still there */
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(path, mode) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	(void)snprintf(why, LISTENER_WHY_MAX, "%s", strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* nothing of ours is in it */
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
		/* if it fails, bind() says so */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
		    listen(fd, BACKLOG) == 0)
			return fd;
		(void)close(fd); /* nothing of ours is in it */
	}
	return -1;
}

/* HOST:PORT, [HOST]:PORT or :PORT (loopback) */
static int
open_port(const char *where, char why[LISTENER_WHY_MAX])
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
	if (rc != 0) {
		(void)snprintf(why, LISTENER_WHY_MAX, "%s", gai_strerror(rc));
		return -1;
	}
	fd = bind_first(list);
	if (fd < 0)
		(void)snprintf(why, LISTENER_WHY_MAX, "%s", strerror(errno));
	freeaddrinfo(list);
	return fd;
}

/* A path has a slash or no colon. */
static bool
is_path(const char *where)
{
	return strchr(where, '/') != NULL || strchr(where, ':') == NULL;
}

static int
inherit(char why[LISTENER_WHY_MAX])
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (flags >= 0 && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0)
		return STDIN_FILENO;
	(void)snprintf(why, LISTENER_WHY_MAX, "%s", strerror(errno));
	return -1;
}

static int
open_socket(struct listener *l, char why[LISTENER_WHY_MAX])
{
	const char *where = l->options.socket;
	char reason[LISTENER_WHY_MAX];
	struct sockaddr_storage own = { 0 };
	socklen_t len = sizeof(own);
	struct stat st;

	if (where == NULL)
		l->fd = inherit(reason);
	else if (is_path(where))
		l->fd = open_path(where, l->options.socket_mode, reason);
	else
		l->fd = open_port(where, reason);
	if (l->fd < 0) {
		(void)snprintf(why, LISTENER_WHY_MAX,
		    "listener: %.200s:"
		    " %.200s",
		    where != NULL ? where : "descriptor 0", reason);
		return -1;
	}
	if (where != NULL && is_path(where) && stat(where, &st) == 0) {
		l->path = strdup(where);
		l->inode = st.st_ino;
	}
	/* if it fails, peers are checked and refused: closed, not open */
	l->is_local = getsockname(l->fd, (struct sockaddr *)&own, &len) == 0 &&
	    own.ss_family == AF_UNIX;
	return 0;
}

/*
 * libuv's list of descriptors is as long as the highest that it watches: with
 * this one, it need not grow for the first thousand connections.
 */
static void
raise_descriptor(struct listener *l)
{
	int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, WATCHED);

	if (fd < 0) /* so many there cannot be */
		return;
	if (l->fd != STDIN_FILENO)
		(void)close(l->fd); /* the listening socket has another */
	l->fd = fd;
}

struct listener *
listener_new(uv_loop_t *loop, const struct listener_options *options,
    struct connections *cs, char why[LISTENER_WHY_MAX])
{
	struct listener *l = calloc(1, sizeof(*l));
	struct rlimit limit;
	int rc;

	if (l == NULL) {
		(void)snprintf(why, LISTENER_WHY_MAX, "out of memory");
		return NULL;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX)
		l->descriptors = (int)limit.rlim_cur;
	else
		l->descriptors = INT_MAX;
	l->options = *options;
	l->connections = cs;
	if (open_socket(l, why) != 0) {
		free(l);
		return NULL;
	}
	raise_descriptor(l);
	rc = uv_poll_init(loop, &l->poll, l->fd);
	if (rc != 0) {
		(void)snprintf(why, LISTENER_WHY_MAX, "listener: %s",
		    uv_strerror(rc));
		free(l->path);
		free(l);
		return NULL;
	}
	timer_init(&l->timer, loop, l);
	l->poll.data = l;
	l->open_handles = 2;
	listen_on(l);
	return l;
}

const char *
listener_path(const struct listener *l)
{
	return l->path;
}

static void
remove_path(struct listener *l)
{
	struct stat st;

	if (l->path != NULL && stat(l->path, &st) == 0 && st.st_ino == l->inode)
		(void)unlink(l->path); /* the next start replaces it */
	free(l->path); /* what is there from now on is another's */
	l->path = NULL;
}

bool
listener_take_last(struct listener *l)
{
	size_t before = connections_count(l->connections);

	remove_path(l);
	pause_accepting(l);
	while (!is_full(l) && accept_one(l))
		;
	return connections_count(l->connections) > before;
}

static void
on_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;

	if (--l->open_handles > 0)
		return;
	(void)close(l->fd); /* nothing to be done if it fails */
	free(l);
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	remove_path(l);
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->timer, on_closed);
}
