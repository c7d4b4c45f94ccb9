#ifndef ROWCAST_WARN_H
#define ROWCAST_WARN_H

#include <stdbool.h>

/*
 * Diagnostics for the operator: one line each, to standard error or syslog.
 * A line begins with its subject: warn_line("log: %s: %s", path, why).
 */

/*
 * Set the program's name, which is the prefix of each line, and whether lines
 * go to syslog instead of standard error.
 *   owns     borrows program until the process ends
 */
void warn_open(const char *program, bool use_syslog);

/* From now on, drop a line if standard error is a full pipe, as a server must
   not wait for its reader.  Lines to syslog still wait. */
void warn_never_wait(void);

/* Write one line; the format has no newline.  Control characters become '?', a
   line longer than a kilobyte is cut.  Keeps errno. */
void warn_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Warn if the program runs as root. */
void warn_root(void);

#endif
