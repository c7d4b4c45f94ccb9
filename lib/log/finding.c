/*
 * One line of what rowcast check has found.
 */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 640

void
finding_say(const struct check *c, enum log_finding finding, const char *about,
    const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	if (vsnprintf(line, sizeof(line), format, args) < 0)
		line[0] = '\0';
	va_end(args);
	c->finding(c->cookie, finding, about, line);
}
