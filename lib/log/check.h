#ifndef ROWCAST_LOG_CHECK_H
#define ROWCAST_LOG_CHECK_H

/*
 * Private to lib/log: what the files of log_check() share.
 *   log  NULL before it was opened
 */

#include "admin.h"

struct check {
	const char *path;
	const struct log_check_options *options;
	log_finding_fn *finding;
	void *cookie;
	struct log *log;
};

void check_say(const struct check *c, enum log_finding finding,
    const char *about, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Insert an event and undo it: the triggers of the file may refuse it or run
 * without end.  Then report which of the expected tables are published.
 */
void check_trial(const struct check *c);

#endif
