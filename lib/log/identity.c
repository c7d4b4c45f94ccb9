/*
 * Which log this is.
 */
#include "log.h"

#include <stdio.h>
#include <string.h>

#include "statement.h"

static enum log_result
refuse(struct log *log)
{
	(void)snprintf(log->why, sizeof(log->why),
	    "its identity is longer than 255 bytes, or holds NUL: UPDATE"
	    " events_log SET identity = lower(hex(randomblob(16)))");
	return LOG_NOT_A_LOG;
}

enum log_result
log_read_identity(struct log *log, char identity[LOG_IDENTITY_MAX + 1])
{
	sqlite3_stmt *s = log_statement(log, LOG_S_IDENTITY);
	enum log_result result = LOG_OK;
	struct text now;
	int rc;

	if (s == NULL)
		return log_fail(log, sqlite3_errcode(log->db));
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		bool is_null = sqlite3_column_type(s, 0) == SQLITE_NULL;

		now = log_column(s, 0);
		if (is_null)
			identity[0] = '\0';
		else if (now.bytes == NULL)
			result = log_fail(log, SQLITE_NOMEM);
		else if (now.len > LOG_IDENTITY_MAX ||
		    memchr(now.bytes, 0, now.len) != NULL)
			result = refuse(log);
		else
			(void)snprintf(identity, LOG_IDENTITY_MAX + 1, "%.*s",
			    (int)now.len, now.bytes);
	} else {
		result = log_fail(log, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc);
	}
	(void)sqlite3_reset(s); /* repeats the error that step gave */
	return result;
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
	(void)snprintf(log->identity, sizeof(log->identity), "%s", now);
	return LOG_OK;
}
