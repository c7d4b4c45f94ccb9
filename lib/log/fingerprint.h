#ifndef ROWCAST_FINGERPRINT_H
#define ROWCAST_FINGERPRINT_H

#include "log.h"

/*
 * What a reader keeps of a log to recognise it later.  Another log may have
 * taken the place of the file or may have been restored into it.  So may an
 * older copy, which may since have grown past the end that was known.
 *   identity  log_identity() at the time
 *   id        a row, the last one read; 0 for none
 */
struct fingerprint {
	char identity[LOG_IDENTITY_MAX + 1];
	int64_t id;
	int64_t created_ms;
};

/* Take the identity that was read last, and no row. */
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
