/*
 * Standard output, a batch at a time.  What is written is known to have been
 * taken: nothing waits in a buffer of the C library.
 */
#include "output.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/warn.h"

/* Wait until a descriptor that somebody has made non-blocking takes more. */
static void
wait_for_room(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	(void)poll(&out, 1, -1); /* write() says what is the matter */
}

int
output_write(struct buffer *b)
{
	const char *bytes = b->bytes;
	size_t left = b->len;
	bool is_short = b->is_short;

	buffer_clear(b);
	if (is_short) {
		warn_line("out of memory");
		return -1;
	}
	while (left > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			wait_for_room();
			continue;
		}
		if (n < 0) {
			warn_line("standard output: %s", strerror(errno));
			return -1;
		}
		bytes += n;
		left -= (size_t)n;
	}
	return 0;
}

void
output_check_reader(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0)
		(void)raise(SIGPIPE); /* of which main() took the default */
}
