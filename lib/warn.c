/*
 * Diagnostics: one line each, to standard error or syslog.
 *
 * A line is written by one write(), so that lines of several processes that
 * share a file do not mix.  It may quote a client: control characters become
 * '?', so that a client cannot forge a second line.  There are no levels and no
 * time stamps: syslog and the web servers add their own.
 */
#include "warn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024 /* longer lines are cut */

_Static_assert(LINE_MAX_BYTES < PIPE_BUF, "a write() of a line is atomic");

static const char *program_name = "rowcast";
static bool to_syslog;
static bool never_waits;

void
warn_open(const char *program, bool use_syslog)
{
	program_name = program;
	to_syslog = use_syslog;
	if (use_syslog)
		openlog(program, LOG_PID, LOG_DAEMON);
}

void
warn_never_wait(void)
{
	never_waits = true;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A pipe that can be written has room for PIPE_BUF bytes, unless another
   process fills it first.  O_NONBLOCK would be safe, but would affect that
   process. */
static bool
has_room(void)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	return !never_waits || poll(&out, 1, 0) != 0;
}

void
warn_line(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	size_t prefix, len;
	int saved_errno = errno; /* callers warn before they return it */

	(void)snprintf(line, sizeof line / 2, "%s: ", program_name);
	prefix = strlen(line);
	va_start(args, format);
	if (vsnprintf(line + prefix, sizeof line - prefix, format, args) < 0)
		line[prefix] = '\0';
	va_end(args);

	len = strlen(line);
	for (size_t i = prefix; i < len; i++)
		if (is_control(line[i]))
			line[i] = '?';
	if (to_syslog) {
		syslog(LOG_WARNING, "%s", line + prefix);
	} else if (has_room()) {
		line[len++] = '\n'; /* in the place of the NUL */
		if (write(STDERR_FILENO, line, len) < 0) {
			/* there is nowhere to report it */
		}
	}
	errno = saved_errno;
}

void
warn_root(void)
{
	if (geteuid() == 0)
		warn_line("main: runs as root: run it as an unprivileged"
			  " user, such as the web server's");
}
