#ifndef ROWCAST_WARN_H
#define ROWCAST_WARN_H

#include <stdbool.h>

/*
 * Diagnostics for the operator: one line each, to standard error or syslog.
 * Each begins with the noun it is about: warn_line("log: %s: %s", path, why).
 */

/*
 * Name of the program, used as prefix; syslog instead of stderr if asked.
 *   owns     nothing: program must stay as it is until the process ends
 */
void warn_open(const char *program, bool use_syslog);

/*
 * From now on, drop a line that nobody takes: who serves waits for no reader of
 * its diagnostics.  To syslog, all lines wait.
 */
void warn_never_wait(void);

/*
 * Say one line, without a newline at its end.  Control characters are shown as
 * '?', what goes beyond a kilobyte is cut.  Leaves errno as it was.
 */
void warn_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say it if the program has the rights of the administrator. */
void warn_root(void);

#endif
