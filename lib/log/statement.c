/*
 * Statements: their texts, and running them with SQLite's results turned into
 * ours.
 */
#include "statement.h"

#include <errno.h>
#include <stdio.h>

static const char *const statement_text[LOG_S_COUNT] = {
	[LOG_S_BEGIN] = "BEGIN",
	[LOG_S_END] = "COMMIT",
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

enum log_result
log_fail(struct log *log, int rc)
{
	/* SQLITE_FULL can also reach us as an I/O error with ENOSPC below. */
	int system = log->db != NULL ? sqlite3_system_errno(log->db) : 0;

	(void)snprintf(log->why, sizeof(log->why), "%s%s",
	    log->db != NULL &&
		    (sqlite3_errcode(log->db) & 0xff) == (rc & 0xff) ?
		sqlite3_errmsg(log->db) :
		sqlite3_errstr(rc),
	    advice(rc, system));
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

sqlite3_stmt *
log_prepare(struct log *log, sqlite3_stmt **slot, const char *text)
{
	int rc;

	if (*slot == NULL) {
		rc = sqlite3_prepare_v3(log->db, text, -1,
		    SQLITE_PREPARE_PERSISTENT, slot, NULL);
		if (rc != SQLITE_OK) {
			(void)log_fail(log, rc);
			return NULL;
		}
	}
	return *slot;
}

sqlite3_stmt *
log_statement(struct log *log, enum log_statement which)
{
	log->ticks = 0;
	return log_prepare(log, &log->statements[which], statement_text[which]);
}

struct text
log_column(sqlite3_stmt *s, int column)
{
	struct text t;

	/* text before bytes: the first call converts, the second counts */
	t.bytes = (const char *)sqlite3_column_text(s, column);
	t.len = (size_t)sqlite3_column_bytes(s, column);
	return t;
}

enum log_result
log_integer(struct log *log, sqlite3_stmt *s, int64_t fallback, int64_t *value)
{
	enum log_result result = LOG_OK;
	int rc;

	if (s == NULL)
		return log_fail(log, sqlite3_errcode(log->db));
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
		*value = sqlite3_column_int64(s, 0);
	else if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		*value = fallback;
	else
		result = log_fail(log, rc);
	(void)sqlite3_reset(s); /* repeats the error that step gave */
	return result;
}

enum log_result
log_query(struct log *log, const char *text, int64_t *value)
{
	enum log_result result;
	sqlite3_stmt *s;
	int rc;

	log->ticks = 0;
	rc = sqlite3_prepare_v2(log->db, text, -1, &s, NULL);
	if (rc != SQLITE_OK)
		return log_fail(log, rc);
	result = log_integer(log, s, 0, value);
	(void)sqlite3_finalize(s); /* repeats the error that step gave */
	return result;
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
log_run(struct log *log, enum log_statement which)
{
	int64_t nothing;

	return log_integer(log, log_statement(log, which), 0, &nothing);
}
