/*
 * Opening the log: create, recognise, refuse.
 *
 * What is opened is either a log of our format or nothing: a file that is some
 * other database is never written to.  Reading is in log_read.c, appending in
 * log_append.c.
 */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"
#include "schema.h"

#define FORMAT 1       /* user_version in sql/schema.sql */
#define SETTLE_MS 1000 /* for others to finish creating the log */
#define SETTLE_STEP_MS 10

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

/* Two programs may create the log at once: who comes second finds it made. */
static enum log_result
create(struct log *log)
{
	enum log_result result = log_execute(log, log_schema);
	int64_t version = 0;

	if (result == LOG_OK)
		return LOG_OK;
	if (sqlite3_get_autocommit(log->db) == 0)
		(void)sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
	if (log_query(log, "PRAGMA user_version", &version) == LOG_OK &&
	    version == FORMAT)
		return LOG_OK;
	return result;
}

static enum log_result
refuse(struct log *log, const char *why)
{
	(void)snprintf(log->why, sizeof(log->why), "%s", why);
	return LOG_NOT_A_LOG;
}

/* What there is in the open database. */
struct facts {
	int64_t version;
	int64_t objects;
	int64_t events;    /* the table */
	int64_t rest;      /* of what the schema makes */
	bool keeps_ids;    /* ids never come back */
	const char *wrong; /* a table that is none */
};

/*
 * All facts of one moment: between two of them another program may create the
 * log.
 */
static enum log_result
read_facts(struct log *log, struct facts *f)
{
	static const char *const has_table =
	    "SELECT count(*) FROM sqlite_schema"
	    " WHERE type = 'table' AND name = 'events'";
	static const char *const has_rest =
	    "SELECT count(*) = 4 FROM sqlite_schema"
	    " WHERE name IN ('events_removed', 'events_remember_removed',"
	    " 'retention', 'events_retain')";
	enum log_result r;

	if ((r = log_execute(log, "BEGIN")) != LOG_OK)
		return r;
	if ((r = log_query(log, "PRAGMA user_version", &f->version)) ==
		LOG_OK &&
	    (r = log_query(log, "SELECT count(*) FROM sqlite_schema",
		 &f->objects)) == LOG_OK &&
	    (r = log_query(log, has_table, &f->events)) == LOG_OK &&
	    (r = log_query(log, has_rest, &f->rest)) == LOG_OK &&
	    (r = log_judge(log, &f->wrong, &f->keeps_ids)) == LOG_OK)
		return log_execute(log, "COMMIT");
	if (sqlite3_get_autocommit(log->db) == 0)
		(void)sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* Is the open database a log of our format? */
static enum log_result
recognise(struct log *log, bool may_create)
{
	struct facts f = { 0 };
	enum log_result r;

	if ((r = read_facts(log, &f)) != LOG_OK)
		return r;
	if (f.version == 0 && f.objects == 0) {
		if (!may_create)
			return refuse(log, "is empty: publish something first");
		return create(log);
	}
	if (f.events == 0)
		return refuse(log,
		    "is a database without an event log: add one"
		    " with 'sqlite3 -bail FILE <schema.sql', or name another file");
	if (!f.keeps_ids)
		return refuse(log,
		    "its table 'events' lacks INTEGER PRIMARY KEY"
		    " AUTOINCREMENT, so ids could come back: name another file");
	if (f.version == FORMAT && f.rest == 0)
		return refuse(log,
		    "lacks a table or a trigger of its schema: make a new log"
		    " with schema.sql and copy the events, or name another"
		    " file");
	if (f.version != FORMAT)
		(void)snprintf(log->why, sizeof(log->why),
		    "is a log of format %lld, this program reads format %d:"
		    " use the version of rowcast that wrote it, or name"
		    " another file",
		    (long long)f.version, FORMAT);
	else if (f.wrong != NULL)
		(void)snprintf(log->why, sizeof(log->why),
		    "its '%s' is no table, or has a column that is computed:"
		    " name another file",
		    f.wrong);
	else
		return LOG_OK;
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
			result = refuse(log,
			    "its identity is longer than 255 bytes, or holds"
			    " NUL: UPDATE events_log SET identity ="
			    " lower(hex(randomblob(16)))");
		else
			(void)snprintf(identity, LOG_IDENTITY_MAX + 1, "%.*s",
			    (int)now.len, now.bytes);
	} else {
		result = log_fail(log, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc);
	}
	(void)sqlite3_reset(s); /* repeats the error that step gave */
	return result;
}

/*
 * Recognise or create the log, in WAL mode.  Other programs may be at it too,
 * making it, or closing it as the last; who loses the change to WAL to them is
 * told so at once, whatever the timeout.
 */
static enum log_result
settle(struct log *log, const struct log_options *o)
{
	bool may_create = o->create;
	int wait_ms =
	    may_create && o->busy_ms < SETTLE_MS ? SETTLE_MS : o->busy_ms;
	int tries = o->at_once || wait_ms < SETTLE_STEP_MS ?
	    1 :
	    wait_ms / SETTLE_STEP_MS;
	enum log_result result = LOG_BUSY;
	int64_t ignored;

	/* cannot fail */
	(void)sqlite3_busy_timeout(log->db, tries > 1 ? SETTLE_STEP_MS : 0);
	for (int i = 0; result == LOG_BUSY && i < tries; i++) {
		if (i > 0)
			(void)sqlite3_sleep(SETTLE_STEP_MS);
		result = recognise(log, may_create);
		if (result == LOG_OK)
			result = log_query(log, "PRAGMA journal_mode = WAL",
			    &ignored);
	}
	return result;
}

static enum log_result
open_database(struct log *log, const struct log_options *o)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	enum log_result result;
	int rc;

	log->path = strdup(o->path);
	if (log->path == NULL) {
		(void)snprintf(log->why, sizeof(log->why), "out of memory");
		return LOG_NO_MEMORY;
	}
	if ((result = log_file_find(log, o->create)) != LOG_OK)
		return result;
	rc = sqlite3_open_v2(o->path, &log->db,
	    flags | (o->create ? SQLITE_OPEN_CREATE : 0), NULL);
	if (rc != SQLITE_OK)
		return log_fail(log, rc);
	(void)sqlite3_extended_result_codes(log->db, 1);
	if ((result = log_distrust(log, o)) != LOG_OK ||
	    (result = settle(log, o)) != LOG_OK)
		return result;
	if (!o->append)
		log_distrust_more(log);
	if ((result = log_read_identity(log, log->identity)) != LOG_OK)
		return result;
	/* 0 for a reader: it tries again on its next look */
	(void)sqlite3_busy_timeout(log->db, o->busy_ms); /* cannot fail */
	if (!o->append) /* to leave is to be quick; writers do it */
		(void)sqlite3_db_config(log->db,
		    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (!o->append)
		return LOG_OK;
	return log_execute(log,
	    o->no_sync ? "PRAGMA synchronous = NORMAL" :
			 "PRAGMA synchronous = FULL");
}

enum log_result
log_open(const struct log_options *options, struct log **opened,
    char why[LOG_WHY_MAX])
{
	enum log_result result;
	struct log *log;

	*opened = NULL;
	log = calloc(1, sizeof(*log));
	if (log == NULL) {
		(void)snprintf(why, LOG_WHY_MAX, "out of memory");
		return LOG_NO_MEMORY;
	}
	log->data_version = -1;
	log->appends = options->append;
	result = open_database(log, options);
	if (result == LOG_OK) {
		*opened = log;
		return LOG_OK;
	}
	(void)snprintf(why, LOG_WHY_MAX, "%s", log->why);
	log_close(log);
	return result;
}

void
log_close(struct log *log)
{
	if (log == NULL)
		return;
	for (size_t i = 0; i < LOG_S_COUNT; i++)
		(void)sqlite3_finalize(log->statements[i]);
	for (size_t i = 0; i <= LOG_TOPICS_MAX; i++) {
		(void)sqlite3_finalize(log->by_topic[0][i]);
		(void)sqlite3_finalize(log->by_topic[1][i]);
	}
	(void)sqlite3_close(log->db); /* all statements are gone: cannot fail */
	free(log->path);
	free(log);
}

const char *
log_why(const struct log *log)
{
	return log->why;
}

const char *
log_identity(const struct log *log)
{
	return log->identity;
}
