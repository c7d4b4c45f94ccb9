#ifndef ROWCAST_LOG_H
#define ROWCAST_LOG_H

#include <stdbool.h>

#include "lib/event.h"
#include "lib/filter.h"

/*
 * The log: the table of events in one SQLite file, with the schema of
 * sql/schema.sql.  A struct log is one connection to it.  Use a connection in
 * one thread only.  Several connections may be open at once, in one process or
 * in many.
 *
 * The results of a function that returns enum log_result are valid only with
 * LOG_OK.  After any other value, log_why() describes the error, and the
 * connection stays usable.
 */
struct log;

enum log_result {
	LOG_OK,
	LOG_BUSY,      /* locked by another connection: retry later */
	LOG_FULL,      /* no space left on the disk, or quota exceeded */
	LOG_CONFLICT,  /* the idempotency key belongs to another event */
	LOG_REFUSED,   /* the schema or a callback refuses the input */
	LOG_NOT_A_LOG, /* no database, or one without our schema and format */
	LOG_BROKEN,    /* read-only, corrupt, missing, or an I/O error */
	LOG_NO_MEMORY,
};

/* Warn if fewer ids than these are left: nothing but a jump explains it. */
#define LOG_IDS_FEW ((int64_t)1 << 40)

/* Size of a buffer for one line: what went wrong and what to do about it. */
#define LOG_WHY_MAX 512

/*
 * How to open a log.
 *   create   make a new log if the file is missing or empty
 *   append   allow appending and removing; else the connection only reads
 *   no_sync  do not fsync on commit.  The last commits may be lost in a power
 *            cut, but not when a process ends
 *   upgrade  accept a log that log_upgrade() can mend.  Call that next
 *   at_once  do not wait while other programs create or close the log
 *   bounded  a statement that exceeds 100 million VM steps fails with
 *            LOG_BROKEN, so that no schema can keep a call from returning
 *   parts    for servers that read: log_read() leaves data of more than
 *            LOG_HUGE_BYTES to log_read_part().  No effect on a log in UTF-16
 *   busy_ms  how long a call waits for a lock before it returns LOG_BUSY
 */
struct log_options {
	const char *path;
	bool create;
	bool append;
	bool no_sync;
	bool upgrade;
	bool at_once;
	bool bounded;
	bool parts;
	int busy_ms;
};

/*
 * Open a log.  Without at_once, waits up to busy_ms, and at least a second with
 * create, while other programs create the log or close it as the last one.
 *   returns  LOG_OK with *opened set.  Else *opened is NULL and why is set
 *   owns     the caller closes *opened with log_close()
 */
enum log_result log_open(const struct log_options *options, struct log **opened,
    char why[LOG_WHY_MAX]);
void log_close(struct log *log); /* log may be NULL */

/*
 * Check that a log can be at a path, whether there is a file or not: the path
 * names an ordinary file, by which every program finds the same -wal.
 *   returns  0; -1 with why set
 */
int log_file_judge(const char *path, char why[LOG_WHY_MAX]);

/* Open a connection that has no log and no file, for log_read_json().  Returns
   NULL if out of memory. */
struct log *log_open_memory(void);

/* Returns what went wrong in the last call that did not return LOG_OK; valid
   until the next call.  A CHECK constraint that failed is given by its name. */
const char *log_why(const struct log *log);

/* ---- state ---- */

/*
 * Begin a read transaction: every read up to log_end() sees the log as it was
 * at the first of them.  End it soon, for it stops checkpoints.
 */
enum log_result log_begin(struct log *log);
void log_end(struct log *log); /* also after an error */

/*
 * The same, and judge the schema if it has changed.  A tool that rebuilds the
 * table may leave it empty for a while.
 *   returns  as log_changed(); after an error there is no transaction
 */
enum log_result log_begin_judged(struct log *log);

/*
 * Set *changed to whether another connection has committed since the last call.
 * The first call sets it to true.  Takes some microseconds.
 *   returns  LOG_NOT_A_LOG if a change of the schema has made the log unfit,
 *            and until it is mended: a tool rebuilt the table without its
 *            triggers, say.  Read nothing until then: removals may not be noted
 */
enum log_result log_changed(struct log *log, bool *changed);

/*
 * Returns a number that differs after the schema was changed.  If so, the table
 * may have been rebuilt with other rows: discard all that was read.  It is that
 * of the last schema that was fit.
 */
int64_t log_schema_version(const struct log *log);

/* Set *version to a number that differs after another connection has committed.
   Compare it only with earlier values of the same connection. */
enum log_result log_version(struct log *log, int64_t *version);

/*
 * Returns whether another file has taken the place of the one that is open.
 * With append, a removed file counts too: what is appended would be lost.
 */
bool log_is_replaced(struct log *log);

/*
 * Call this after log_is_replaced(), before another file is opened or created:
 * if the WAL of the old one is still there, SQLite would mix both.
 *   returns  0; -1 with why set
 */
int log_check_wal(const struct log *old, char why[LOG_WHY_MAX]);

/*
 * Returns the identity of the log: 32 hex digits, or what an operator has put
 * in their place.  It was read by log_open() or by the last
 * fingerprint_check(), and is valid until that is called again.
 */
#define LOG_IDENTITY_MAX 255 /* bytes */
const char *log_identity(const struct log *log);

/*
 * Set *head to the highest id ever given, whether its row still exists or not;
 * 0 in a new log.  It decreases only if an older copy is restored, or if
 * sqlite_sequence is set back by hand and the last rows are gone too.
 */
enum log_result log_head(struct log *log, int64_t *head);

/* Returns how many ids are left after the highest one; 0 also if that lies
   beyond EVENT_ID_MAX. */
int64_t log_ids_left(int64_t head);

/* Set *oldest to the lowest id that exists; 0 if there is none. */
enum log_result log_oldest(struct log *log, int64_t *oldest);

/* Set *next to the lowest id > after that exists; head + 1 if there is none. */
enum log_result log_next(struct log *log, int64_t after, int64_t *next);

/*
 * Set *after so that the rows with id > *after are those created at or after a
 * time; 0 if all are.  A binary search, which relies on created_ms growing with
 * id.
 *   units    created_ms in ms since 1970
 */
enum log_result log_before_time(struct log *log, int64_t created_ms,
    int64_t *after);

/* ---- reading ---- */

/*
 * Called for each row.  e and its texts are lent until the callback returns.
 *   returns  true to take the row and go on; false to leave it and end
 */
typedef bool log_row_fn(void *cookie, const struct event *e);

/*
 * A range of rows: after < id <= upto, at most max_rows.
 *   filter   NULL for all rows.  If filter_is_exact(), rows of other topics are
 *            left out, without reading them; else it has no effect.  Names are
 *            not compared
 *   is_back  from the highest id down, and without data and retry_ms
 *   is_full  with created_ms and key; not together with is_back
 */
#define LOG_PAGE_ROWS 1000 /* max_rows for callers that have other work too */
struct log_range {
	int64_t after;
	int64_t upto;
	size_t max_rows;
	const struct filter *filter;
	bool is_back;
	bool is_full;
};

/*
 * Read the rows of a range.
 *   returns  LOG_OK with *reached set: the callback has taken every row of the
 *            range with id <= *reached, or with id > *reached if is_back.  At
 *            the end of the range *reached is upto, or after if is_back.
 *            After an error, discard all rows of this call
 */
enum log_result log_read(struct log *log, const struct log_range *range,
    log_row_fn *row, void *cookie, int64_t *reached);

/*
 * Read a part of the data of an event with huge_len > 0, as it is stored.
 *   returns  LOG_OK with *len set to the number of bytes read: as many as were
 *            asked for, or fewer at the end of the data; 0 if there is no such
 *            row any more
 * SQLite walks the pages of the row up to the part, which costs about a tenth
 * of reading all that data.
 */
#define LOG_HUGE_BYTES 1048576
enum log_result log_read_part(struct log *log, int64_t id, size_t from,
    char *bytes, size_t *len);

/* ---- removed rows ---- */

/*
 * For each topic of which rows with id > after were removed, call row with the
 * topic and its highest removed id; the other fields of e are 0.  The highest
 * id comes first.  e->topic.bytes is NULL for ids up to which the log has
 * forgotten the topics.
 */
enum log_result log_removed(struct log *log, int64_t after, log_row_fn *row,
    void *cookie);

/* Set *removed to the highest id that was, or may have been, removed of one
   topic; 0 if there is none. */
enum log_result log_removed_of(struct log *log, struct text topic,
    int64_t *removed);

/* Set *count to the number of rows ever removed, and *highest to the highest of
   their ids; 0 if there is none. */
enum log_result log_removals(struct log *log, int64_t *count, int64_t *highest);

/* ---- appending ---- */

struct log_receipt {
	int64_t id; /* of the new row, or of the row that has the same key */
	bool is_new;
};

/*
 * Append n >= 1 events in one transaction: all or none.  They are on disk when
 * the call returns, unless no_sync is set.  An event whose idempotency key is
 * in the log already, with the same content, is not stored again: its receipt
 * has the id of the first one.
 *   returns  LOG_OK with n receipts set.  Else nothing was appended; after
 *            LOG_REFUSED and LOG_CONFLICT, *culprit is the index of the event
 *            at fault
 */
enum log_result log_append(struct log *log, const struct event *events,
    size_t n, struct log_receipt *receipts, size_t *culprit);

/*
 * Append for several callers in one transaction, with one fsync.
 *   begin    returns LOG_BUSY while another connection writes; LOG_NOT_A_LOG,
 *            like log_changed(), if the log has become unfit
 *   add      like log_append().  After LOG_REFUSED and LOG_CONFLICT the group
 *            goes on without these n events; after any other error, call drop
 *   commit   after an error, nothing of the group was appended
 *   drop     undo all that was added; log_why() stays as it is
 */
enum log_result log_group_begin(struct log *log);
enum log_result log_group_add(struct log *log, const struct event *events,
    size_t n, struct log_receipt *receipts, size_t *culprit);
enum log_result log_group_commit(struct log *log);
void log_group_drop(struct log *log);

/* Returns whether a group is neither committed nor undone.  Without memory,
   drop can fail to undo it; then close the log, which stays locked. */
bool log_group_is_open(const struct log *log);

/* ---- JSON, read by SQLite's own functions ---- */

/*
 * Called for each member of each object, in order.  Before the first member of
 * an object it is called with name.bytes NULL.
 *   index    of the object in the array; 0 for a single object
 *   value    a string decoded; any other value as JSON without white space
 *   type     SQLite's name of the JSON type: null true false integer real
 *            text array object
 *   returns  false to end the reading
 */
typedef bool log_member_fn(void *cookie, size_t index, struct text name,
    struct text value, const char *type);

/*
 * Read one JSON object, or an array of objects.  Pass a connection of
 * log_open_memory() as j, and keep it: it costs more than reading a text.
 *   returns  LOG_OK; LOG_REFUSED if member returned false (why is untouched),
 *            or if the text is not JSON, is neither an object nor an array of
 *            objects, or contains an escaped NUL or a lone surrogate
 */
enum log_result log_read_json(struct log *j, struct text json, bool *is_array,
    log_member_fn *member, void *cookie, char why[LOG_WHY_MAX]);

#endif
