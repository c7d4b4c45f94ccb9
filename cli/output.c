/*
 * Standard output, a batch at a time.  The C library buffers nothing, so errors
 * are seen at once.
 */
#include "output.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/warn.h"

int
output_write(struct buffer *b)
{
	size_t len = b->len;
	bool is_short = b->is_short;

	buffer_clear(b);
	if (is_short)
		warn_line("out of memory");
	else if (descriptor_write(STDOUT_FILENO, b->bytes, len) != 0)
		warn_line("standard output: %s", descriptor_error(errno));
	else
		return 0;
	return -1;
}

int
output_line(struct buffer *b)
{
	int result;

	buffer_add_string(b, "\n");
	result = output_write(b);
	buffer_free(b);
	return result;
}

void
output_check_reader(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0)
		(void)raise(SIGPIPE); /* main() has reset its handler */
}
