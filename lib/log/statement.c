/*
 * SQL statements: their texts, one execution after another, and SQLite's
 * results translated to those of log.h.
 * Invariant: after statement_end() the statement is reset, so that it keeps no
 * read transaction open, and has no bindings, so that it refers to no memory
 * of a caller.
 */
#include "statement.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

static const char *const texts[LOG_S_COUNT] = {
	[LOG_S_BEGIN] = "BEGIN",
	[LOG_S_COMMIT] = "COMMIT",
	[LOG_S_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[LOG_S_ROLLBACK] = "ROLLBACK",
	[LOG_S_SAVE] = "SAVEPOINT request",
	[LOG_S_UNDO] = "ROLLBACK TO request",
	[LOG_S_RELEASE] = "RELEASE request",
	[LOG_S_DATA_VERSION] = "PRAGMA data_version",
	/* the sequence can be set back by hand, which moves no row */
	[LOG_S_HEAD] = "SELECT max(ifnull((SELECT CAST(seq AS INTEGER)"
		       " FROM sqlite_sequence WHERE name = 'events'), 0),"
		       " ifnull((SELECT max(id) FROM events), 0))",
	/* checks can be turned off: to id 0 and below no cursor points */
	[LOG_S_OLDEST] = "SELECT min(id) FROM events WHERE id > 0",
	[LOG_S_NEXT] = "SELECT min(id) FROM events WHERE id > ?1",
	[LOG_S_READ] = "SELECT id, topic, event, retry_ms, data FROM events"
		       " WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
	[LOG_S_READ_BACK] =
	    "SELECT id, topic, event, retry_ms FROM events"
	    " WHERE id > ?1 AND id <= ?2 ORDER BY id DESC LIMIT ?3",
	[LOG_S_CREATED] = "SELECT id, created_ms FROM events WHERE id >= ?1"
			  " ORDER BY id LIMIT 1",
	[LOG_S_REMOVED] = "SELECT topic, id FROM events_removed WHERE id > ?1"
			  " UNION ALL SELECT NULL, forgotten FROM events_log"
			  " WHERE forgotten > ?1 ORDER BY id DESC",
	[LOG_S_REMOVED_OF] =
	    "SELECT max(forgotten, ifnull((SELECT id FROM events_removed"
	    " WHERE topic = ?1), 0)) FROM events_log",
	[LOG_S_REMOVALS] = "SELECT removals FROM events_log",
	[LOG_S_IDENTITY] = "SELECT identity FROM events_log",
	[LOG_S_ORIGIN] = "SELECT created_ms, key FROM events WHERE id = ?1",
	[LOG_S_INSERT] =
	    "INSERT INTO events(topic, event, data, retry_ms, key)"
	    " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(key) DO NOTHING"
	    " RETURNING id",
	[LOG_S_BY_KEY] = "SELECT id, topic IS ?1 AND event IS ?2 AND data IS ?3"
			 " AND retry_ms IS ?4 FROM events WHERE key = ?5",
	[LOG_S_DELETE] = "DELETE FROM events WHERE id = ?1",
};

static bool
is_full(int rc, int system)
{
	return (rc & 0xff) == SQLITE_FULL ||
	    ((rc & 0xff) == SQLITE_IOERR &&
		(system == ENOSPC || system == EDQUOT));
}

static const char *
advice(int rc, int system)
{
	if ((rc & 0xff) == SQLITE_IOERR && is_full(rc, system))
		return ": make room on the disk";
	switch (rc & 0xff) {
	case SQLITE_NOTADB:
		return ": name another file";
	case SQLITE_CANTOPEN:
		if (system == EACCES)
			return ": this program's user must be allowed to read"
			       " and write in its folder; if that was made or"
			       " moved after the program was started, start it"
			       " again";
		return ": its folder must be there, and this program's user"
		       " must be allowed to read and write in it";
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return ": let this program's user write to the file and its"
		       " folder";
	case SQLITE_INTERRUPT:
		return ": its schema has it do something without end; name"
		       " another file";
	case SQLITE_CORRUPT:
		return ": restore it from a backup (sqlite3 FILE .recover"
		       " saves what can be read)";
	default:
		return "";
	}
}

/* Returns SQLite's message for an error, without "CHECK constraint failed: ". */
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

static enum log_result
translate(int rc, int system)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return LOG_BUSY;
	case SQLITE_FULL:
		return LOG_FULL;
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
		return LOG_REFUSED;
	case SQLITE_NOTADB:
		return LOG_NOT_A_LOG;
	case SQLITE_NOMEM:
		return LOG_NO_MEMORY;
	case SQLITE_IOERR:
		return is_full(rc, system) ? LOG_FULL : LOG_BROKEN;
	default:
		return LOG_BROKEN;
	}
}

enum log_result
log_fail(struct log *log, int rc)
{
	/* SQLITE_FULL can also reach us as an I/O error with ENOSPC below. */
	int system = log->db != NULL ? sqlite3_system_errno(log->db) : 0;

	return log_error(log, translate(rc, system), "%s%s", message(log, rc),
	    advice(rc, system));
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
statement_begin(struct log *log, enum log_statement which)
{
	return statement_keep(log, &log->statements[which], texts[which]);
}

struct statement
statement_prepare(struct log *log, const char *text)
{
	struct statement s = { .log = log };

	log->ticks = 0;
	s.rc = sqlite3_prepare_v2(log->db, text, -1, &s.handle, NULL);
	return s;
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
log_run(struct log *log, enum log_statement which)
{
	struct statement s = statement_begin(log, which);

	(void)statement_step(&s); /* no row; statement_end() tells errors */
	return statement_end(&s);
}

enum log_result
log_execute(struct log *log, const char *text)
{
	int rc;

	log->ticks = 0;
	rc = sqlite3_exec(log->db, text, NULL, NULL, NULL);
	return rc == SQLITE_OK ? LOG_OK : log_fail(log, rc);
}

enum log_result
log_query(struct log *log, const char *text, int64_t *value)
{
	struct statement s = statement_prepare(log, text);

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
	(void)log_run(log, LOG_S_ROLLBACK); /* nothing else can be done */
	memcpy(log->why, why, sizeof(why));
}
