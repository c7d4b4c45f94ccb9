#ifndef ROWCAST_FINGERPRINT_H
#define ROWCAST_FINGERPRINT_H

#include "log.h"

/*
 * Recognises a log later: another log, or an older copy that has grown since,
 * may take the place of the file or be restored into it.
 *   identity  log_identity() at the time
 *   id        the last row that was read; 0 for none
 */
struct fingerprint {
	char identity[LOG_IDENTITY_MAX + 1];
	int64_t id;
	int64_t created_ms;
};

/* Begin with the identity of an open log, and no row. */
void fingerprint_take(struct fingerprint *f, const struct log *log);

/* Take the last row up to an id; no row if there is none, or on error. */
enum log_result fingerprint_note(struct fingerprint *f, struct log *log,
    int64_t id);

/*
 * Read the identity and the row again, and compare.  A row that was removed
 * counts as the same.
 *   returns  LOG_OK with *is_same set; after an error call it again later
 */
enum log_result fingerprint_check(const struct fingerprint *f, struct log *log,
    bool *is_same);

#endif
