/*
 * Which log this is.  A restore can put another log into the file that is open:
 * the identity in the file then differs from the one that was read at first.
 */
#include "log.h"

#include <stdio.h>
#include <string.h>

#include "statement.h"

enum log_result
log_read_identity(struct log *log, char identity[LOG_IDENTITY_MAX + 1])
{
	struct statement s = statement_begin(log, LOG_S_IDENTITY);
	struct text now = { 0 };
	enum log_result result;
	bool is_usable;

	if (statement_step(&s))
		now = statement_text(&s, 0);
	else
		statement_fail(&s, SQLITE_CORRUPT);
	is_usable = now.len <= LOG_IDENTITY_MAX &&
	    (now.len == 0 || memchr(now.bytes, 0, now.len) == NULL);
	if (is_usable)
		(void)snprintf(identity, LOG_IDENTITY_MAX + 1, "%.*s",
		    (int)now.len, now.len > 0 ? now.bytes : "");
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

enum log_result
log_is_other(struct log *log, bool *is_other)
{
	char now[LOG_IDENTITY_MAX + 1];
	enum log_result result = log_read_identity(log, now);

	if (result != LOG_OK)
		return result;
	*is_other = strcmp(now, log->identity) != 0;
	memcpy(log->identity, now, sizeof(now));
	return LOG_OK;
}
