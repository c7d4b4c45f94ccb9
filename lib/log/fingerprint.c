/*
 * Recognises a log after a change.
 */
#include "fingerprint.h"

#include <stdio.h>
#include <string.h>

#include "statement.h"

_Static_assert(sizeof(((struct fingerprint *)0)->identity) > LOG_IDENTITY_MAX,
    "an identity fits");

void
fingerprint_take(struct fingerprint *f, const struct log *log)
{
	(void)snprintf(f->identity, sizeof(f->identity), "%s",
	    log_identity(log));
	f->row = (struct log_mark){ 0 };
}

enum log_result
fingerprint_check(const struct fingerprint *f, struct log *log, bool *is_same)
{
	enum log_result result;
	bool ignored;

	if ((result = log_has(log, &f->row, is_same)) != LOG_OK ||
	    (result = log_is_other(log, &ignored)) != LOG_OK)
		return result;
	if (strcmp(f->identity, log_identity(log)) != 0)
		*is_same = false;
	return LOG_OK;
}
