/*
 * Which log this is.  A restore can put another log, or an older copy, into the
 * file that is open: its identity in the file, or a row, then differs.
 */
#include "fingerprint.h"

#include <string.h>

#include "statement.h"

enum log_result
log_read_identity(struct log *log)
{
	struct statement s =
	    statement_begin(log, "SELECT identity FROM events_log");
	struct text now = { 0 };
	enum log_result result;
	bool is_usable;

	if (statement_step(&s))
		now = statement_text(&s, 0);
	else
		statement_fail(&s, SQLITE_CORRUPT);
	is_usable = now.len < sizeof(log->identity) &&
	    (now.len == 0 || memchr(now.bytes, 0, now.len) == NULL);
	if (is_usable && !statement_has_failed(&s)) {
		memset(log->identity, 0, sizeof(log->identity));
		if (now.len > 0)
			memcpy(log->identity, now.bytes, now.len);
	}
	result = statement_end(&s);
	if (result != LOG_OK || is_usable)
		return result;
	return log_error(log, LOG_NOT_A_LOG,
	    "its identity is longer than 255 bytes, or holds NUL: UPDATE"
	    " events_log SET identity = lower(hex(randomblob(16)))");
}

const char *
log_identity(const struct log *log)
{
	return log->identity;
}

void
fingerprint_take(struct fingerprint *f, const struct log *log)
{
	*f = (struct fingerprint){ 0 };
	memcpy(f->identity, log->identity, sizeof(f->identity));
}

enum log_result
fingerprint_check(const struct fingerprint *f, struct log *log, bool *is_same)
{
	enum log_result result;

	if ((result = log_has(log, &f->row, is_same)) != LOG_OK ||
	    (result = log_read_identity(log)) != LOG_OK)
		return result;
	if (strcmp(f->identity, log->identity) != 0)
		*is_same = false;
	return LOG_OK;
}
