#ifndef ROWCAST_LOG_STATEMENT_H
#define ROWCAST_LOG_STATEMENT_H

/*
 * Private to lib/log, the only folder that includes SQLite: the connection,
 * its statements, and what the files of this folder call in each other.
 */

#include <sqlite3.h>

#include <sys/types.h>

#include "log.h"

#define LOG_STATEMENTS_MAX 64 /* kept by one connection */
#define LOG_STEPS_OF_TICK 1000000

/*
 *   statements    kept for the next execution, each found by the address of
 *                 its text; n_kept of them
 *   reads         of log_read(): forwards, backwards, full; by the number of
 *                 topics, 0 for all
 *   data_version  at the last log_changed(); -1 at first
 *   schema        PRAGMA schema_version when it was judged; -1: not yet
 *   wal           path of its WAL
 *   device, inode of the file that was opened
 *   wal_inode     of its WAL at the last log_is_replaced(); 0: none
 *   has_parts     huge data is left to log_read_part()
 *   ticks         millions of VM steps since a statement was begun
 */
struct log {
	sqlite3 *db;
	const char *texts[LOG_STATEMENTS_MAX];
	sqlite3_stmt *statements[LOG_STATEMENTS_MAX];
	size_t n_kept;
	sqlite3_stmt *reads[3][FILTER_TOPICS_MAX + 1];
	int64_t data_version;
	int64_t schema;
	char *path;
	char *wal;
	dev_t device;
	ino_t inode;
	ino_t wal_inode;
	bool appends;
	bool has_parts;
	int ticks;
	char identity[LOG_IDENTITY_MAX + 1];
	char why[LOG_WHY_MAX];
};

/* ---- errors ---- */

/* Set log->why.  Returns result, for the caller to return. */
__attribute__((format(printf, 3, 4))) enum log_result log_error(struct log *log,
    enum log_result result, const char *format, ...);

/*
 * Translate an SQLite error, and set log->why to SQLite's message and to what
 * the operator can do.  Of a failed CHECK constraint, log->why has the name
 * only: the constraints of the log are named in words.
 *   rc   any result code but SQLITE_OK, SQLITE_ROW and SQLITE_DONE
 */
enum log_result log_fail(struct log *log, int rc);

/* ---- one execution of a statement ---- */

/*
 * Begin with one of the functions below that return a struct statement, bind,
 * step, and call statement_end().  An error makes the calls that follow do
 * nothing, so that only the result of statement_end() need be checked.
 *   handle   NULL if the statement could not be prepared
 *   rc       SQLite's result of the last call, or of the first that failed
 *   is_kept  reset at the end rather than finalized
 */
struct statement {
	struct log *log;
	sqlite3_stmt *handle;
	int rc;
	bool is_kept;
};

/* Begin a statement that is prepared once and kept.  text is a literal: its
   address stands for it. */
struct statement statement_begin(struct log *log, const char *text);

/* The same, kept in *slot: prepare it from text if *slot is NULL. */
struct statement statement_keep(struct log *log, sqlite3_stmt **slot,
    const char *text);

/* Begin a statement that is used once. */
struct statement statement_prepare(struct log *log, const char *text);

/* Bind a parameter.  One that is not bound is NULL.  The bytes of t must stay
   valid until statement_end(). */
void statement_bind_integer(struct statement *s, int index, int64_t value);
void statement_bind_text(struct statement *s, int index, struct text t);

/* Returns true if there is a row, false at the end or after an error. */
bool statement_step(struct statement *s);

/*
 * A column of the current row.  NULL is 0, or a text without bytes.  If memory
 * is short, statement_text() returns a text without bytes and the statement
 * has failed: call statement_has_failed() before the text is used.
 *   owns     the text is valid until the next step
 */
int64_t statement_integer(const struct statement *s, int column);
struct text statement_text(struct statement *s, int column);

/* Let the execution that is next take so many steps more, if the log was opened
   with bounded. */
void statement_allow(struct log *log, int64_t steps);

/* Let this execution take as many steps as it needs, also if the log was opened
   with bounded: it must not run views or triggers. */
void statement_unbound(struct statement *s);

/* Returns the reconnection time in a column; EVENT_NO_RETRY if it holds none
   that the schema allows.  With CHECKs off, a row may hold any value, which
   clients would obey. */
int64_t statement_retry_ms(const struct statement *s, int column);

/* Make the statement fail with an SQLite error. */
void statement_fail(struct statement *s, int rc);
bool statement_has_failed(const struct statement *s);

/* End the execution.  Returns LOG_OK, or log_fail() of the first error. */
enum log_result statement_end(struct statement *s);

/* Step once and end.  *value is the first column, 0 if that is NULL or if there
   is no row; it is untouched on error. */
enum log_result statement_end_value(struct statement *s, int64_t *value);

/* ---- whole executions ---- */

/* Run a statement without parameters, kept as by statement_begin().
   log_query() sets *value to the integer that it gives; 0 if it gives none. */
enum log_result log_run(struct log *log, const char *text);
enum log_result log_query(struct log *log, const char *text, int64_t *value);

/* Run queries up to the first that fails. */
struct log_query {
	const char *text;
	int64_t *value;
};
enum log_result log_query_all(struct log *log, const struct log_query *queries,
    size_t n);

/* Run any SQL, also several statements. */
enum log_result log_execute(struct log *log, const char *text);

/* The same after statement_allow(): for a text that takes more steps the longer
   the log is. */
enum log_result log_execute_long(struct log *log, const char *text,
    int64_t steps);

/* End the open transaction, if there is one, and undo what it did.  log->why
   stays as it is. */
void log_rollback(struct log *log);

/* ---- judge.c ---- */

#define LOG_FORMAT 1 /* user_version in sql/schema.sql */

/*
 * Check that the log's tables are ordinary tables without generated columns.
 * Call this in a transaction that has read the schema.
 *   wrong      the name of a table that is not; NULL if all are
 *   keeps_ids  whether ids are given by AUTOINCREMENT
 */
enum log_result log_check_tables(struct log *log, const char **wrong,
    bool *keeps_ids);

/* How to make a log anew that cannot be mended. */
extern const char log_remake[];

/*
 * Judge the schema, as log_open() does, in the open transaction.  Notes the
 * version of a schema that is good.
 *   is_upgrade  accept what log_upgrade() can mend
 *   returns     LOG_NOT_A_LOG if the database is not a log, or no longer one;
 *               *is_empty is set to whether it has nothing in it yet
 */
enum log_result log_judge(struct log *log, bool is_upgrade, bool *is_empty);

/* Call log_judge() if the schema has changed since the last judgement.  Call it
   in a transaction. */
enum log_result log_check_schema(struct log *log);

/* ---- append.c ---- */

/* What to do when EVENT_ID_MAX was given. */
extern const char log_ids_used_up[];

/* ---- file.c ---- */

/*
 * Create the file if it is missing and may be created, and note which one it
 * is, for log_is_replaced().
 *   returns  LOG_BROKEN if log_file_judge() refuses it, or if the file is
 *            missing or empty, but its WAL is not
 */
enum log_result log_file_find(struct log *log, bool may_create);

/* ---- rights.c ---- */

/*
 * Look for the reason why this user cannot open or write a log.
 *   returns  the rest of a message, which names the file or folder that lacks
 *            a right, or is missing; NULL if all are accessible
 *   owns     the text is in buffer
 */
const char *log_rights_advise(const char *path, char *buffer, size_t size);

/* ---- read.c ---- */

/* Run a query of the id and created_ms of one row, with ?1 = id, as by
   statement_begin().  Both are 0 if there is no row. */
enum log_result log_find_row(struct log *log, const char *text, int64_t id,
    int64_t *found, int64_t *created_ms);

/* ---- huge.c ---- */

/* Set log->has_parts, unless the log is in UTF-16. */
enum log_result log_huge_prepare(struct log *log);

/*
 * Call these after log_read() has failed with SQLITE_TOOBIG at the first row.
 *   precede  SQLite reads the first row of each topic before it returns any.
 *            Set *upto to the id before the first huge one of these, if others
 *            precede it; else to range->after
 *   read     read the first row of a range as log_read() does
 */
enum log_result log_huge_precede(struct log *log, const struct log_range *range,
    int64_t *upto);
enum log_result log_huge_read(struct log *log, const struct log_range *range,
    log_row_fn *row, void *cookie, int64_t *reached);

/* ---- fingerprint.c ---- */

/*
 * Read the identity that is in the file now, for log_identity().
 *   returns  LOG_NOT_A_LOG if it is longer than LOG_IDENTITY_MAX or holds NUL:
 *            it could not be compared with another one
 */
enum log_result log_read_identity(struct log *log);

/* ---- harden.c ---- */

/*
 * Harden a connection before anything is read: the file may come from anyone.
 * Its schema cannot be changed by hand or reach out of the file.  If
 * o->bounded, a statement that takes more than 100 million VM steps fails with
 * LOG_BROKEN.
 */
enum log_result log_harden(struct log *log, const struct log_options *o);

/* Harden a reader, once the log is there: disable views, triggers and virtual
   tables. */
void log_harden_reader(struct log *log);

#endif
