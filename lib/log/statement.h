#ifndef ROWCAST_LOG_STATEMENT_H
#define ROWCAST_LOG_STATEMENT_H

/*
 * Private to lib/log, the only folder that includes SQLite.
 */

#include <sqlite3.h>

#include <sys/types.h>

#include "log.h"

/* Statements that are prepared once; their texts are in statement.c. */
enum log_statement {
	LOG_S_BEGIN,
	LOG_S_END,
	LOG_S_BEGIN_WRITE,
	LOG_S_ROLLBACK,
	LOG_S_SAVE,
	LOG_S_UNDO,
	LOG_S_RELEASE,
	LOG_S_DATA_VERSION,
	LOG_S_HEAD,
	LOG_S_OLDEST,
	LOG_S_NEXT,
	LOG_S_READ,
	LOG_S_READ_BACK,
	LOG_S_CREATED,
	LOG_S_REMOVED,
	LOG_S_REMOVED_OF,
	LOG_S_REMOVALS,
	LOG_S_IDENTITY,
	LOG_S_ORIGIN,
	LOG_S_INSERT,
	LOG_S_BY_KEY,
	LOG_S_COUNT,
};

#define LOG_IDENTITY_MAX 255 /* bytes */

struct log {
	sqlite3 *db;
	sqlite3_stmt *statements[LOG_S_COUNT];
	/* by number of topics: forwards, backwards */
	sqlite3_stmt *by_topic[2][LOG_TOPICS_MAX + 1];
	sqlite3_int64 data_version;
	char *path;
	dev_t device;
	ino_t inode;
	bool appends;
	int ticks; /* millions of steps, since a statement was begun */
	char identity[LOG_IDENTITY_MAX + 1];
	char why[LOG_WHY_MAX];
};

/*
 * Make the file if it is missing and may be made, and note which one it is, so
 * that log_is_replaced() can tell.
 *   returns  LOG_BROKEN: it is not there, or is empty, but a WAL of it is
 */
enum log_result log_file_find(struct log *log, bool may_create);

/*
 * What an SQLite result means, with log->why set to SQLite's words.
 *   rc   any result code but SQLITE_OK, SQLITE_ROW and SQLITE_DONE
 */
enum log_result log_fail(struct log *log, int rc);

/* The prepared statement, reset and ready for binding; NULL with why set. */
sqlite3_stmt *log_statement(struct log *log, enum log_statement which);

/* Prepare into *slot unless it is there already. */
sqlite3_stmt *log_prepare(struct log *log, sqlite3_stmt **slot,
    const char *text);

/* A text column, lent until the next step. */
struct text log_column(sqlite3_stmt *s, int column);

/*
 * The identity that is in the file now.
 *   returns  LOG_NOT_A_LOG with why set if it is longer than LOG_IDENTITY_MAX or
 *            holds NUL: then it could not be told from another one
 */
enum log_result log_read_identity(struct log *log,
    char identity[LOG_IDENTITY_MAX + 1]);

/* Run a prepared statement that gives one integer; *value is fallback if it
   gives no row or NULL.  Leaves the statement reset. */
enum log_result log_integer(struct log *log, sqlite3_stmt *s, int64_t fallback,
    int64_t *value);

/* Run a one-off query that gives one integer; 0 if it gives no row or NULL. */
enum log_result log_query(struct log *log, const char *text, int64_t *value);

/*
 * A file may come from anybody.  Before it is read: its schema cannot be written
 * to by hand and calls nothing that reaches out of the file; where o->bounded,
 * no statement runs without end.
 */
enum log_result log_distrust(struct log *log, const struct log_options *o);

/* For who only reads, once the log is there: no views, triggers, virtual
   tables. */
void log_distrust_more(struct log *log);

/*
 * Are the tables of a log tables, with columns that nobody computes?  To be
 * asked in a transaction that has read the schema.
 *   wrong      one of which that is not so; or NULL
 *   keeps_ids  ids are given by AUTOINCREMENT
 */
enum log_result log_judge(struct log *log, const char **wrong, bool *keeps_ids);

/* Run a statement that gives nothing: one that is prepared, or any text. */
enum log_result log_run(struct log *log, enum log_statement which);
enum log_result log_execute(struct log *log, const char *text);

#endif
