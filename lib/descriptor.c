/*
 * Descriptors of any mode, and the standard ones.
 */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* libuv aborts when it closes such a descriptor of its own. */
void
descriptor_reserve_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0) /* open() returns the lowest */
			(void)open("/dev/null",
			    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Wait before another try; false if the error is not temporary. */
static bool
wait_for(int fd, short events)
{
	struct pollfd wanted = { .fd = fd, .events = events };

	if (errno == EAGAIN || errno == EWOULDBLOCK)
		(void)poll(&wanted, 1, -1); /* the next try reports errors */
	else if (errno != EINTR)
		return false;
	return true;
}

const char *
descriptor_error(int error)
{
	return error == EBADF ? "it is closed" : strerror(error);
}

ssize_t
descriptor_read(int fd, void *bytes, size_t cap)
{
	ssize_t n;

	do {
		n = read(fd, bytes, cap);
	} while (n < 0 && wait_for(fd, POLLIN));
	return n;
}

bool
descriptor_is_ready(int fd)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };

	return poll(&in, 1, 0) == 1;
}

int
descriptor_write(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && !wait_for(fd, POLLOUT))
			return -1;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}
