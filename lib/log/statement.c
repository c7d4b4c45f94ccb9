/*
 * SQL statements: preparing them once, one execution after another, and
 * SQLite's errors translated to those of log.h.
 * Invariant: after statement_end() the statement is reset, so that it keeps no
 * read transaction open, and has no bindings, so that it refers to no memory
 * of a caller.
 */
#include "statement.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

/* What an SQLite error means, and what the operator can do about it. */
struct meaning {
	int code;
	enum log_result result;
	const char *advice;
};

static const struct meaning meanings[] = {
	{ SQLITE_BUSY, LOG_BUSY,
	    ": another program has locked it: end it or wait" },
	{ SQLITE_LOCKED, LOG_BUSY,
	    ": another program has locked it: end it or wait" },
	{ SQLITE_FULL, LOG_FULL, "" },
	{ SQLITE_CONSTRAINT, LOG_REFUSED, "" },
	{ SQLITE_TOOBIG, LOG_REFUSED, "" },
	{ SQLITE_NOMEM, LOG_NO_MEMORY, "" },
	{ SQLITE_NOTADB, LOG_NOT_A_LOG, ": name another file" },
	{ SQLITE_CANTOPEN, LOG_BROKEN,
	    ": its folder must exist, and this program's user must be allowed"
	    " to read and write in it" },
	{ SQLITE_READONLY, LOG_BROKEN,
	    ": let this program's user write to the file and its folder" },
	{ SQLITE_PERM, LOG_BROKEN,
	    ": let this program's user write to the file and its folder" },
	{ SQLITE_INTERRUPT, LOG_BROKEN,
	    ": a trigger or view of the file runs without end; 'rowcast check'"
	    " names the trigger" },
	{ SQLITE_CORRUPT, LOG_BROKEN,
	    ": restore it from a backup, or save what can be read with"
	    " 'rowcast export --salvage'" },
};
static const struct meaning broken = { 0, LOG_BROKEN, "" };
static const struct meaning disk_full = { 0, LOG_FULL,
	": make room on the disk" };
static const struct meaning no_access = { 0, LOG_BROKEN,
	": this program's user must be allowed to read and write in its folder;"
	" if that was made or moved after the program was started, start it"
	" again" };

/*   system   errno of the call that failed below SQLite, or 0 */
static const struct meaning *
find_meaning(int code, int system)
{
	if (code == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT))
		return &disk_full;
	if (code == SQLITE_CANTOPEN && system == EACCES)
		return &no_access;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == code)
			return &meanings[i];
	return &broken;
}

/* Returns SQLite's message for an error, without what precedes the name of a
   CHECK constraint. */
static const char *
message(struct log *log, int rc)
{
	static const char preamble[] = "CHECK constraint failed: ";
	const char *words = sqlite3_errstr(rc);

	if (log->db != NULL && (sqlite3_errcode(log->db) & 0xff) == (rc & 0xff))
		words = sqlite3_errmsg(log->db);
	if (text_begins(text_of(words), preamble))
		words += sizeof(preamble) - 1;
	return words;
}

enum log_result
log_error(struct log *log, enum log_result result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(log->why, sizeof(log->why), format, args) < 0)
		log->why[0] = '\0';
	va_end(args);
	return result;
}

static bool
is_about_rights(int code)
{
	return code == SQLITE_CANTOPEN || code == SQLITE_READONLY ||
	    code == SQLITE_PERM;
}

enum log_result
log_fail(struct log *log, int rc)
{
	const struct meaning *m = find_meaning(rc & 0xff,
	    log->db != NULL ? sqlite3_system_errno(log->db) : 0);
	char buffer[LOG_WHY_MAX];
	const char *advice = NULL;

	if (is_about_rights(rc & 0xff) && log->path != NULL)
		advice = log_rights_advise(log->path, buffer, sizeof(buffer));
	return log_error(log, m->result, "%s%s", message(log, rc),
	    advice != NULL ? advice : m->advice);
}

/* ---- one execution of a statement ---- */

struct statement
statement_keep(struct log *log, sqlite3_stmt **slot, const char *text)
{
	struct statement s = { .log = log, .is_kept = true };

	log->ticks = 0;
	if (*slot == NULL)
		s.rc = sqlite3_prepare_v3(log->db, text, -1,
		    SQLITE_PREPARE_PERSISTENT, slot, NULL);
	s.handle = *slot;
	return s;
}

struct statement
statement_begin(struct log *log, const char *text)
{
	size_t i = 0;

	while (i < log->n_kept && log->texts[i] != text)
		i++;
	assert(i < LOG_STATEMENTS_MAX);
	if (i == log->n_kept)
		log->texts[log->n_kept++] = text;
	return statement_keep(log, &log->statements[i], text);
}

struct statement
statement_prepare(struct log *log, const char *text)
{
	struct statement s = { .log = log };

	log->ticks = 0;
	s.rc = sqlite3_prepare_v2(log->db, text, -1, &s.handle, NULL);
	return s;
}

void
statement_allow(struct log *log, int64_t steps)
{
	int64_t ticks = steps / LOG_STEPS_OF_TICK;

	log->ticks = ticks < INT_MAX ? -(int)ticks : -INT_MAX;
}

void
statement_unbound(struct statement *s)
{
	statement_allow(s->log, INT64_MAX);
}

bool
statement_has_failed(const struct statement *s)
{
	return s->rc != SQLITE_OK && s->rc != SQLITE_ROW &&
	    s->rc != SQLITE_DONE;
}

void
statement_fail(struct statement *s, int rc)
{
	if (!statement_has_failed(s))
		s->rc = rc;
}

void
statement_bind_integer(struct statement *s, int index, int64_t value)
{
	if (!statement_has_failed(s))
		s->rc = sqlite3_bind_int64(s->handle, index, value);
}

void
statement_bind_text(struct statement *s, int index, struct text t)
{
	/* no bytes would bind NULL */
	if (!statement_has_failed(s))
		s->rc = sqlite3_bind_text64(s->handle, index,
		    t.bytes != NULL ? t.bytes : "", t.len, SQLITE_STATIC,
		    SQLITE_UTF8);
}

bool
statement_step(struct statement *s)
{
	/* SQLite would begin anew after the end */
	if (!statement_has_failed(s) && s->rc != SQLITE_DONE)
		s->rc = sqlite3_step(s->handle);
	return s->rc == SQLITE_ROW;
}

int64_t
statement_integer(const struct statement *s, int column)
{
	return sqlite3_column_int64(s->handle, column);
}

int64_t
statement_retry_ms(const struct statement *s, int column)
{
	int64_t ms = statement_integer(s, column);

	if (sqlite3_column_type(s->handle, column) != SQLITE_INTEGER ||
	    ms < 0 || ms > EVENT_RETRY_MAX_MS)
		return EVENT_NO_RETRY;
	return ms;
}

struct text
statement_text(struct statement *s, int column)
{
	struct text t;

	/* text before bytes: the first call converts, the second counts */
	t.bytes = (const char *)sqlite3_column_text(s->handle, column);
	t.len = (size_t)sqlite3_column_bytes(s->handle, column);
	if (t.bytes == NULL && sqlite3_errcode(s->log->db) == SQLITE_NOMEM)
		statement_fail(s, SQLITE_NOMEM);
	return t;
}

enum log_result
statement_end(struct statement *s)
{
	enum log_result result =
	    statement_has_failed(s) ? log_fail(s->log, s->rc) : LOG_OK;

	/* these repeat the error that a step gave */
	if (s->is_kept) {
		(void)sqlite3_reset(s->handle);
		if (s->handle != NULL) /* always SQLITE_OK */
			(void)sqlite3_clear_bindings(s->handle);
	} else {
		(void)sqlite3_finalize(s->handle);
	}
	return result;
}

enum log_result
statement_end_value(struct statement *s, int64_t *value)
{
	int64_t found = statement_step(s) ? statement_integer(s, 0) : 0;
	enum log_result result = statement_end(s);

	if (result == LOG_OK)
		*value = found;
	return result;
}

/* ---- whole executions ---- */

enum log_result
log_run(struct log *log, const char *text)
{
	struct statement s = statement_begin(log, text);

	(void)statement_step(&s); /* no row; statement_end() returns errors */
	return statement_end(&s);
}

enum log_result
log_execute(struct log *log, const char *text)
{
	return log_execute_long(log, text, 0);
}

enum log_result
log_execute_long(struct log *log, const char *text, int64_t steps)
{
	int rc;

	statement_allow(log, steps);
	rc = sqlite3_exec(log->db, text, NULL, NULL, NULL);
	return rc == SQLITE_OK ? LOG_OK : log_fail(log, rc);
}

enum log_result
log_query(struct log *log, const char *text, int64_t *value)
{
	struct statement s = statement_begin(log, text);

	return statement_end_value(&s, value);
}

enum log_result
log_query_all(struct log *log, const struct log_query *queries, size_t n)
{
	enum log_result result = LOG_OK;

	for (size_t i = 0; i < n && result == LOG_OK; i++)
		result = log_query(log, queries[i].text, queries[i].value);
	return result;
}

void
log_rollback(struct log *log)
{
	char why[LOG_WHY_MAX];

	if (sqlite3_get_autocommit(log->db) != 0) /* an error has ended it */
		return;
	memcpy(why, log->why, sizeof(why));
	(void)log_run(log, "ROLLBACK"); /* nothing else can be done */
	memcpy(log->why, why, sizeof(why));
}
