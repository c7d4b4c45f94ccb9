/*
 * libfcgi, used as a parser.
 *
 * libfcgi reads from a descriptor and waits for it, and loses what it read
 * beyond a request.  So it never gets a connection: it gets whole requests over
 * a socket pair of its own, which holds all that it reads before it begins.
 */
#include "libfcgi.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <fastcgi.h>

#include "lib/memory.h"
#include "records.h"

/* What libfcgi 2.4.2 allocates for a request: its buffers, 17.8 KB; each
   variable separately, 32 bytes for 2 at worst; a list of them, doubled when it
   is full. */
#define LIBFCGI_BYTES 32768
#define LIBFCGI_COPIES 28

int
libfcgi_init(void)
{
	int rc = FCGX_Init();

	/* its handlers only set a flag: the signal would be lost */
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGUSR1, SIG_DFL);
	return rc == 0 ? 0 : -1;
}

bool
libfcgi_is_spawned(void)
{
	/* without the first call it would exit() itself on failure */
	return libfcgi_init() != 0 || FCGX_IsCGI() == 0;
}

/* Copy an environment into one allocation. */
static char **
copy_vars(char **envp)
{
	size_t n = 0, bytes = 0;
	char **copy, *at;

	for (char **v = envp; *v != NULL; v++, n++)
		bytes += strlen(*v) + 1;
	copy = malloc((n + 1) * sizeof(*copy) + bytes);
	if (copy == NULL)
		return NULL;
	at = (char *)(copy + n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(envp[i]) + 1;

		copy[i] = memcpy(at, envp[i], len);
		at += len;
	}
	copy[n] = NULL;
	return copy;
}

void
libfcgi_pair_close(struct libfcgi_pair *pair)
{
	if (pair->is_open) {
		(void)close(pair->fds[0]); /* holds no data of ours */
		(void)close(pair->fds[1]);
	}
	pair->is_open = false;
}

static int
open_pair(struct libfcgi_pair *pair)
{
	/* all that libfcgi reads is there; if not, it must not wait for ever */
	const struct timeval timeout = { .tv_sec = 1 };

	if (pair->is_open)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->fds) != 0)
		return -1;
	pair->is_open = true;
	if (setsockopt(pair->fds[1], SOL_SOCKET, SO_RCVTIMEO, &timeout,
		sizeof(timeout)) == 0)
		return 0;
	libfcgi_pair_close(pair);
	return -1;
}

/* Send it without padding after BEGIN_REQUEST, which libfcgi would take for
   records. */
static bool
send_request(int fd, const uint8_t *bytes, size_t used)
{
	uint8_t begin[sizeof(FCGI_BeginRequestRecord)];
	size_t skip = sizeof(begin) + bytes[6];
	struct iovec pieces[] = { { begin, sizeof(begin) },
		{ (void *)(uintptr_t)(bytes + skip), used - skip } };
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };
	ssize_t n;

	memcpy(begin, bytes, sizeof(begin));
	begin[6] = 0;
	n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n >= 0 && (size_t)n == used - bytes[6];
}

/* Let libfcgi read the request that the pair holds; returns a copy of its
   variables. */
static char **
read_with_libfcgi(struct libfcgi_pair *pair)
{
	FCGX_Request request;
	char **vars = NULL;
	char more;

	if (FCGX_InitRequest(&request, -1, 0) != 0)
		return NULL;
	request.ipcFd = pair->fds[1];
	request.keepConnection = 1;
	if (FCGX_Accept_r(&request) < 0) {
		(void)close(pair->fds[0]); /* libfcgi has closed the other */
		pair->is_open = false;
		return NULL;
	}
	if (FCGX_GetError(request.in) == 0)
		vars = copy_vars(request.envp);
	FCGX_Free(&request, 0);
	/* bytes that it left would precede the next request */
	if (vars == NULL ||
	    recv(pair->fds[1], &more, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
		libfcgi_pair_close(pair);
	return vars;
}

char **
libfcgi_parse(struct libfcgi_pair *pair, const uint8_t *bytes, size_t used)
{
	struct records_scanner scanner = { 0 };
	size_t head;

	errno = 0;
	/* PARAMS end the part that libfcgi reads by itself; it ends the process
	   if an allocation fails */
	if (records_scan_head(&scanner, bytes, used, &head) != RECORDS_WHOLE ||
	    !memory_is_free(LIBFCGI_BYTES + LIBFCGI_COPIES * head) ||
	    open_pair(pair) != 0)
		return NULL;
	if (!send_request(pair->fds[0], bytes, head)) {
		libfcgi_pair_close(pair);
		return NULL;
	}
	return read_with_libfcgi(pair);
}
