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

static const char last_row[] = "SELECT id, created_ms FROM events"
			       " WHERE id <= ?1 ORDER BY id DESC LIMIT 1";

enum log_result
fingerprint_note(struct fingerprint *f, struct log *log, int64_t id)
{
	return log_find_row(log, last_row, id, &f->id, &f->created_ms);
}

enum log_result
fingerprint_check(const struct fingerprint *f, struct log *log, bool *is_same)
{
	int64_t found = 0, created_ms = 0;
	enum log_result r;

	if ((f->id != 0 &&
		(r = log_find_row(log, last_row, f->id, &found, &created_ms)) !=
		    LOG_OK) ||
	    (r = log_read_identity(log)) != LOG_OK)
		return r;
	*is_same = strcmp(f->identity, log->identity) == 0 &&
	    (found != f->id || created_ms == f->created_ms);
	return LOG_OK;
}
