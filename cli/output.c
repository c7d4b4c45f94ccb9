/*
 * Standard output, a batch at a time.  The C library buffers nothing, so errors
 * are seen at once.
 */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/warn.h"

#define LINE_MAX_BYTES 256

int
output_write(struct buffer *b)
{
	size_t len = b->len;
	bool is_short = b->is_short;

	buffer_clear(b);
	if (is_short)
		warn_line("out of memory");
	else if (descriptor_write(STDOUT_FILENO, b->bytes, len) != 0)
		warn_line("standard output: %s", strerror(errno));
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

int
output_print(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	struct buffer b = { .bytes = line };
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	b.is_short = len < 0 || (size_t)len >= sizeof(line);
	b.len = (size_t)len;
	return output_write(&b);
}

void
output_check_reader(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0)
		(void)raise(SIGPIPE); /* main() has reset its handler */
}
