/*
 * Diagnostics: one line each, to standard error or syslog.
 * A line goes out in one write(), so that lines of several processes that
 * share a log file do not mix.  What a line quotes may come from a client:
 * control characters are shown as '?', so that nobody forges a second line.
 * No levels, no time stamps: syslog and the web servers add their own.
 */
#include "warn.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024 /* longer lines are cut; < PIPE_BUF: atomic */

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

/* A pipe has room if it has it for PIPE_BUF, unless another that writes into it
   is faster.  O_NONBLOCK would be sure, and would be those others' as well. */
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
	int saved_errno = errno; /* callers warn first and return after */

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
			/* There is nowhere left to complain to. */
		}
	}
	errno = saved_errno;
}

void
warn_root(void)
{
	if (geteuid() == 0)
		warn_line("main: runs as root: let it run as a user without"
			  " rights, such as the web server's");
}
