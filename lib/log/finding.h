#ifndef ROWCAST_LOG_FINDING_H
#define ROWCAST_LOG_FINDING_H

#include "admin.h"

/*
 * Private to lib/log: one run of log_check().  The first four members are its
 * arguments.
 *   log  NULL until it has been opened
 */
struct check {
	const char *path;
	const struct log_check_options *options;
	log_finding_fn *finding;
	void *cookie;
	struct log *log;
};

/* Report a finding in one line. */
void finding_say(const struct check *c, enum log_finding finding,
    const char *about, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
