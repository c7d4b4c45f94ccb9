#ifndef ROWCAST_FINGERPRINT_H
#define ROWCAST_FINGERPRINT_H

#include "log.h"

/*
 * What a reader remembers of a log to recognise it after a change.  Another log
 * may have taken the place of the file or may have been restored into it; so
 * may an older copy, which may since have grown past the end that was known.
 *   identity  log_identity() as it was
 *   row       one row, the last one read; log_note() sets it
 */
struct fingerprint {
	char identity[LOG_IDENTITY_MAX + 1];
	struct log_mark row;
};

/* Remember a log by its identity alone, as that was last read. */
void fingerprint_take(struct fingerprint *f, const struct log *log);

/*
 * Does the log still have this fingerprint?
 *   returns  LOG_OK with *is_same set; on any error nothing is known: call it
 *            again later
 */
enum log_result fingerprint_check(const struct fingerprint *f, struct log *log,
    bool *is_same);

#endif
