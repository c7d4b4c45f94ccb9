/*
 * The socket that web servers connect to.
 *
 * Accepting pauses while all places are taken or descriptors have run out.
 * Connections in the backlog cost nothing; an accept() that fails each time
 * would be a busy loop.
 */
#include "listener.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/loop/loop.h"
#include "lib/loop/timer.h"
#include "lib/memory.h"
#include "lib/throttle.h"
#include "lib/warn.h"
#include "address.h"

#define ACCEPTS_MAX 64       /* in one turn of the loop */
#define PAUSE_MS 100         /* when descriptors have run out */
#define SPARE_DESCRIPTORS 16 /* to read requests, and for the log */
#define SPARE_BYTES 4194304  /* likewise: pages of the log, new events */
#define WATCHED 1000         /* descriptors that libuv has room for at first */
#define SEND_BUFFER 32768    /* bytes a stalled client holds in the kernel */

struct listener {
	uv_poll_t poll;
	uv_timer_t timer;
	struct listener_options options;
	struct connections *connections;
	struct throttle refused; /* warnings of peers that may not connect */
	const char *path;        /* of a socket of our own, or NULL */
	ino_t inode;
	int fd;
	int open_handles;
	int descriptors; /* limit of the process */
	bool is_paused;
	struct throttle shortage; /* of descriptors or memory */
	bool is_local; /* AF_UNIX: the file's mode decides who may connect */
};

/* ---- access ---- */

/* Warn of one peer in a while: anyone could fill the diagnostics otherwise. */
static void
warn_refused(struct listener *l, const char *address)
{
	if (!throttle_raise(&l->refused, (int64_t)uv_now(l->poll.loop)))
		return;
	warn_line("listener: %s is not in FCGI_WEB_SERVER_ADDRS: refused",
	    address);
	(void)throttle_clear(&l->refused); /* the next peer is another case */
}

static bool
may_connect(struct listener *l, const struct sockaddr_storage *peer,
    socklen_t len)
{
	static const char mapped[] = "::ffff:"; /* IPv4 over an IPv6 socket */
	char address[NI_MAXHOST];
	const char *a = address;

	if (l->is_local)
		return true;
	if (getnameinfo((const struct sockaddr *)peer, len, address,
		sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
		return false;
	if (strncmp(a, mapped, sizeof(mapped) - 1) == 0)
		a += sizeof(mapped) - 1;
	if (address_is_listed(l->options.web_servers, a))
		return true;
	warn_refused(l, a);
	return false;
}

/* ---- accepting ---- */

static void on_connection(uv_poll_t *poll, int status, int events);

static void
start_accepting(struct listener *l)
{
	l->is_paused = false;
	(void)uv_poll_start(&l->poll, UV_READABLE, on_connection); /* is open */
}

static void
on_pause_over(uv_timer_t *timer)
{
	start_accepting(timer->data);
}

static void
pause_accepting(struct listener *l)
{
	l->is_paused = true;
	(void)uv_poll_stop(&l->poll); /* returns 0 */
}

static bool
is_full(const struct listener *l)
{
	return connections_count(l->connections) >= l->options.max_connections;
}

/* Pause accepting for a moment.  Clients can cause one shortage after the
   other. */
static void
run_short(struct listener *l)
{
	if (throttle_raise(&l->shortage, (int64_t)uv_now(l->poll.loop)))
		warn_line("listener: accept: %s; raise the limit of %s"
			  " or lower %s",
		    strerror(errno), errno == ENOMEM ? "memory" : "open files",
		    l->options.limit_name);
	pause_accepting(l);
	timer_start(&l->timer, on_pause_over, PAUSE_MS);
}

/* Check for the descriptors that one more connection needs, and for memory to
   serve all.  Sets errno if they are short.  The kernel assigns the lowest free
   descriptor. */
static bool
has_room(const struct listener *l)
{
	int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		(void)close(fd); /* l->fd stays open */
	errno = EMFILE;
	if (fd < 0 || fd >= l->descriptors - SPARE_DESCRIPTORS)
		return false;
	errno = ENOMEM;
	return loop_has_room(l->poll.loop, fd) && memory_is_free(SPARE_BYTES);
}

/* Accept one connection.  Returns false if the backlog is empty or if no more
   can be accepted now. */
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
			(void)throttle_clear(&l->shortage); /* backlog empty */
		return false;
	}
	if (!may_connect(l, &peer, len)) {
		(void)close(fd); /* nothing can be done if it fails */
		return true;
	}
	/* if it fails, a stalled client only holds more memory */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connection_open(l->connections, fd) != 0)
		warn_line("listener: out of memory for a connection");
	return true;
}

static void
on_connection(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	(void)status; /* accept() reports it */
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
		start_accepting(l);
}

/* ---- opening ---- */

static int
inherit(char why[ADDRESS_WHY_MAX])
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (flags >= 0 && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0)
		return STDIN_FILENO;
	(void)snprintf(why, ADDRESS_WHY_MAX, "%s", strerror(errno));
	return -1;
}

/* Remember the path of a socket of our own, and whether the socket is local. */
static void
note_socket(struct listener *l)
{
	const char *address = l->options.socket;
	struct sockaddr_storage own = { 0 };
	socklen_t len = sizeof(own);
	struct stat st;

	if (address != NULL && address_is_path(address) &&
	    stat(address, &st) == 0) {
		l->path = address;
		l->inode = st.st_ino;
	}
	/* if it fails, only listed peers may connect, as over TCP */
	l->is_local = getsockname(l->fd, (struct sockaddr *)&own, &len) == 0 &&
	    own.ss_family == AF_UNIX;
}

/*
 * Move the socket to a high descriptor: libuv's list of descriptors is as long
 * as the highest that it watches, so that it need not grow for the first
 * thousand connections.
 */
static void
raise_descriptor(struct listener *l)
{
	int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, WATCHED);

	if (fd < 0) /* the limit is lower */
		return;
	if (l->fd != STDIN_FILENO)
		(void)close(l->fd); /* fd stays open */
	l->fd = fd;
}

/* Raise the soft limit on descriptors to the hard one, and return it. */
static int
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return INT_MAX;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur : INT_MAX;
}

static void
remove_path(struct listener *l)
{
	struct stat st;

	if (l->path != NULL && stat(l->path, &st) == 0 && st.st_ino == l->inode)
		(void)unlink(l->path); /* else the next start replaces it */
	l->path = NULL;                /* what is there later is not ours */
}

static void
release(struct listener *l)
{
	remove_path(l);
	if (l->fd >= 0)
		(void)close(l->fd); /* nothing can be done if it fails */
	free(l);
}

static int
open_socket(struct listener *l, uv_loop_t *loop, char why[ADDRESS_WHY_MAX])
{
	int rc;

	l->fd = l->options.socket == NULL ?
	    inherit(why) :
	    address_listen(l->options.socket, l->options.socket_mode, why);
	if (l->fd < 0)
		return -1;
	note_socket(l);
	raise_descriptor(l);
	rc = uv_poll_init(loop, &l->poll, l->fd);
	if (rc != 0)
		(void)snprintf(why, ADDRESS_WHY_MAX, "%s", uv_strerror(rc));
	return rc == 0 ? 0 : -1;
}

/* Say at the start what would otherwise be seen under load only. */
static void
check_descriptors(const struct listener *l)
{
	size_t need = l->options.max_connections + SPARE_DESCRIPTORS;

	if ((size_t)l->descriptors < need)
		warn_line("listener: %s takes %zu open files, but the limit is"
			  " %d: raise it (ulimit -n; systemd: LimitNOFILE=) or"
			  " lower %s",
		    l->options.limit_name, need, l->descriptors,
		    l->options.limit_name);
}

struct listener *
listener_new(uv_loop_t *loop, const struct listener_options *options,
    struct connections *cs)
{
	struct listener *l = calloc(1, sizeof(*l));
	char why[ADDRESS_WHY_MAX];

	if (l == NULL) {
		warn_line("listener: out of memory");
		return NULL;
	}
	l->descriptors = raise_limit();
	l->options = *options;
	l->connections = cs;
	if (open_socket(l, loop, why) != 0) {
		warn_line("listener: %.200s: %s",
		    options->socket != NULL ? options->socket : "descriptor 0",
		    why);
		release(l);
		return NULL;
	}
	check_descriptors(l);
	timer_init(&l->timer, loop, l);
	l->poll.data = l;
	l->open_handles = 2;
	start_accepting(l);
	return l;
}

const char *
listener_path(const struct listener *l)
{
	return l->path;
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

	if (--l->open_handles == 0)
		release(l);
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
