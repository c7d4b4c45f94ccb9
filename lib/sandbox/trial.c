/*
 * The calls that serving needs, tried.  A libc may make a call by another one
 * than the sandbox expects: on i386, socketpair() is socketcall().  Without
 * this, such a program would start and then fail with each request.
 */
#include "trial.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES 4096

struct trial {
	int pair[2];
	int file;
	char path[PATH_MAX + 32];
};

/* ---- sockets ---- */

static int
try_pair(struct trial *t)
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, t->pair);
}

static int
try_option(struct trial *t)
{
	const struct timeval timeout = { .tv_sec = 1 };

	return setsockopt(t->pair[1], SOL_SOCKET, SO_RCVTIMEO, &timeout,
	    sizeof(timeout));
}

static int
try_message(struct trial *t)
{
	struct iovec piece = { t->path, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

	return (int)sendmsg(t->pair[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int
try_send(struct trial *t)
{
	return (int)send(t->pair[0], t->path, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int
try_write(struct trial *t)
{
	const struct iovec piece = { t->path, 1 };

	return (int)writev(t->pair[0], &piece, 1);
}

static int
try_receive(struct trial *t)
{
	char byte;

	return (int)recv(t->pair[1], &byte, 1, MSG_DONTWAIT);
}

static int
try_accept(struct trial *t)
{
	return accept4(t->pair[0], NULL, NULL, SOCK_CLOEXEC); /* EINVAL */
}

static int
try_duplicate(struct trial *t)
{
	int fd = fcntl(t->pair[0], F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -1 : close(fd);
}

/* ---- files ---- */

static int
try_create(struct trial *t)
{
	t->file = open(t->path,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	return t->file;
}

static int
try_change_mode(struct trial *t)
{
	return fchmod(t->file, 0660);
}

static int
try_lock(struct trial *t)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };

	return fcntl(t->file, F_SETLK, &lock);
}

static int
try_truncate(struct trial *t)
{
	return ftruncate(t->file, FILE_BYTES);
}

static int
try_write_at(struct trial *t)
{
	return (int)pwrite(t->file, t->path, 1, 0);
}

static int
try_sync(struct trial *t)
{
	return fdatasync(t->file);
}

static int
try_map(struct trial *t)
{
	void *map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
	    t->file, 0);

	return map == MAP_FAILED ? -1 : munmap(map, FILE_BYTES);
}

static int
try_remove(struct trial *t)
{
	return unlink(t->path);
}

static const struct {
	const char *name;
	int (*call)(struct trial *t);
} calls[] = {
	{ "socketpair()", try_pair },
	{ "setsockopt()", try_option },
	{ "sendmsg()", try_message },
	{ "send()", try_send },
	{ "writev()", try_write },
	{ "recv()", try_receive },
	{ "accept4()", try_accept },
	{ "fcntl(F_DUPFD_CLOEXEC)", try_duplicate },
	{ "open() of a new file in the log's folder", try_create },
	{ "fchmod()", try_change_mode },
	{ "fcntl(F_SETLK)", try_lock },
	{ "ftruncate()", try_truncate },
	{ "pwrite()", try_write_at },
	{ "fdatasync()", try_sync },
	{ "mmap() of a file", try_map },
	{ "unlink() in the log's folder", try_remove },
};

#define N (sizeof(calls) / sizeof(calls[0]))
_Static_assert(N <= 32, "one bit for each call");

static void
close_file(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

uint32_t
trial_refused(const char *log)
{
	struct trial t = { .pair = { -1, -1 }, .file = -1 };
	char real[PATH_MAX];
	uint32_t refused = 0;

	/* a log that does not exist yet is no link */
	(void)snprintf(t.path, sizeof(t.path), "%s.start-%ld",
	    realpath(log, real) != NULL ? real : log, (long)getpid());
	for (size_t i = 0; i < N; i++)
		if (calls[i].call(&t) < 0 &&
		    (errno == ENOSYS || errno == EPERM || errno == EACCES))
			refused |= UINT32_C(1) << i;
	close_file(t.pair[0]);
	close_file(t.pair[1]);
	close_file(t.file);
	return refused;
}

const char *
trial_name(uint32_t refused)
{
	size_t i = 0;

	assert(refused != 0);
	while ((refused >> i & 1) == 0)
		i++;
	return calls[i].name;
}
