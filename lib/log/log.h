#ifndef ROWCAST_LOG_H
#define ROWCAST_LOG_H

#include <stdbool.h>

#include "lib/event.h"

/*
 * The log: the table of events in one SQLite file, written by sql/schema.sql.
 * One struct log is one connection, for one thread.  A reader never waits for
 * a lock and never leaves a read transaction open; a writer waits for other
 * writers up to its timeout.
 */
struct log;

enum log_result {
	LOG_OK,
	LOG_BUSY, /* locked by others; the same call may work a little later */
	LOG_FULL, /* no space on the disk, or quota used up */
	LOG_CONFLICT,  /* the key belongs to another event */
	LOG_REFUSED,   /* the schema refuses what was to be appended */
	LOG_NOT_A_LOG, /* other version, other schema, or no database at all */
	LOG_BROKEN,    /* read-only, corrupt, missing, I/O error */
	LOG_NO_MEMORY,
};

/* Room for one line that says what went wrong and what to do. */
#define LOG_WHY_MAX 512

/*
 * Open the log at path, for reading or for appending too.  An empty or missing
 * file becomes a new log if create is set.
 * Waits up to busy_ms, with create at least a second, for others who are
 * creating it, or closing it as the last.
 *   units    busy_ms: how long to wait for locks; 0 for readers
 *   at_once  do not wait for them
 *   bounded  for who serves: no call goes on without end, whatever the file's
 *            schema has it do; one that takes 100 million steps of SQLite's is
 *            LOG_BROKEN
 *   no_sync  of one who appends: commits do not wait for the disk, and the last
 *            of them may be lost with the power, though not with a process
 *   returns  LOG_OK with *opened set; else it is NULL and why says what to do
 *   owns     the caller; end with log_close()
 */
struct log_options {
	const char *path;
	bool create;
	bool append;
	bool no_sync;
	bool at_once; /* do not wait for others who are creating it */
	bool bounded; /* no call goes on without end */
	int busy_ms;
};
enum log_result log_open(const struct log_options *options, struct log **opened,
    char why[LOG_WHY_MAX]);
void log_close(struct log *log); /* log may be NULL */

/* Why the last call on this connection did not return LOG_OK; lent by it. */
const char *log_why(const struct log *log);

/* ---- reading (fcgi/) ---- */

/*
 * What is read from here to log_end() is the log of one moment, the first read
 * in between.  To be ended soon: an open one stops checkpoints.
 */
enum log_result log_begin(struct log *log);
void log_end(struct log *log); /* also after an error */

/*
 * Has another connection committed since the last call?  The first call says
 * yes.  Costs some microseconds.
 */
enum log_result log_changed(struct log *log, bool *changed);

/*
 * A number that is another one once another connection has committed, to be
 * compared with what this connection has said before.
 */
enum log_result log_version(struct log *log, int64_t *version);

/*
 * Is the file at the path no longer the one that is open?  (Removed counts
 * only once another file has taken its place.)
 */
bool log_is_replaced(const struct log *log);

/*
 * The identity of the log: 32 hex digits, or what an operator has put in their
 * place.  It is the same each time the log is opened.
 *   returns  the identity that was read last: by log_open() or by
 *            fingerprint_check(); lent until that is called again
 */
#define LOG_IDENTITY_MAX 255 /* bytes */
const char *log_identity(const struct log *log);

/*
 * The highest id ever given, whether its row is still there or not; 0 in a new
 * log.  Lower than before only if the log was restored from an older copy, or
 * if sqlite_sequence was set back by hand and the last rows are gone, too.
 */
enum log_result log_head(struct log *log, int64_t *head);

/* The lowest id that is kept; 0 if there is none. */
enum log_result log_oldest(struct log *log, int64_t *oldest);

/*
 * A row to know the log by: a copy that is older lacks it, or has another one
 * under its id, once events were added to it.
 *   note     the row of an id; none if there is no such row
 *   has      is that row the same still?  Yes if it has been removed, or if
 *            none was noted
 */
struct log_mark {
	int64_t id; /* 0: none */
	int64_t created_ms;
};
enum log_result log_note(struct log *log, int64_t id, struct log_mark *mark);
enum log_result log_has(struct log *log, const struct log_mark *mark,
    bool *has);

/*
 * Called for each row.  e and all it points to are lent until it returns.
 *   returns  true to take the row; false to leave it and end the reading
 */
typedef bool log_row_fn(void *cookie, const struct event *e);

/*
 * Which rows: after < id <= upto, in id order, at most max_rows.
 *   topics   if n_topics > 0, only rows of exactly these topics (all
 *            different, at most LOG_TOPICS_MAX), found by index; else all
 */
#define LOG_TOPICS_MAX 64
#define LOG_PAGE_ROWS 1000 /* max_rows of a caller that has other work to do */
struct log_range {
	int64_t after;
	int64_t upto;
	size_t max_rows;
	const struct text *topics;
	size_t n_topics;
};

/*
 * Read rows in id order.
 *   returns  LOG_OK with *reached set: every row of the range with
 *            id <= *reached was handed to row and taken; it is upto when the
 *            range is exhausted.  On any error nothing is known: what row was
 *            given must not be used
 */
enum log_result log_read(struct log *log, const struct log_range *range,
    log_row_fn *row, void *cookie, int64_t *reached);

/*
 * The same backwards: rows with after < id <= upto from the highest down.
 * Every row of the range with id > *reached was handed over and taken; it is
 * after when the range is exhausted.  Rows come without data.
 */
enum log_result log_read_back(struct log *log, const struct log_range *range,
    log_row_fn *row, void *cookie, int64_t *reached);

/*
 * The id after which all rows were created at or after a time: a binary search
 * that takes created_ms as growing with id.  0 if the oldest kept row is not
 * older than that.
 *   units    ms since 1970
 */
enum log_result log_before_time(struct log *log, int64_t created_ms,
    int64_t *after);

/*
 * What has been removed after an id.  Called with one topic at a time, the
 * highest removed id of that topic in e->id (e->topic is the only other field
 * set), highest first, until row returns false.  e->topic.bytes is NULL where
 * the log has forgotten which topics were removed up to that id.
 */
enum log_result log_removed(struct log *log, int64_t after, log_row_fn *row,
    void *cookie);

/* The highest id that was removed of one topic, or may have been; or 0. */
enum log_result log_removed_of(struct log *log, struct text topic,
    int64_t *removed);

/*
 * How many rows were ever removed, and the highest id among them (0 if none).
 */
enum log_result log_removals(struct log *log, int64_t *count, int64_t *highest);

/* The lowest id kept that is > after; the head + 1 if there is none. */
enum log_result log_next(struct log *log, int64_t after, int64_t *next);

/* ---- appending (cgi/) ---- */

struct log_receipt {
	int64_t id; /* of the new row, or of the one with the same key */
	bool is_new;
};

/*
 * Append events in one transaction, all or none, on disk when it returns
 * (synchronous=FULL).  An event that is in the log already, with the same key,
 * adds nothing and gets the first one's id.
 *   shape    n >= 1 events, n receipts
 *   returns  LOG_OK with the receipts filled in; else nothing was appended and
 *            log_why() says why; for LOG_REFUSED and LOG_CONFLICT *culprit
 *            is the index of the event that was not taken
 */
enum log_result log_append(struct log *log, const struct event *events,
    size_t n, struct log_receipt *receipts, size_t *culprit);

/*
 * The same for several who wait at once: one transaction for all, and one wait
 * for the disk.
 *   begin    LOG_BUSY: others are writing, try again
 *   add      as log_append(); after LOG_REFUSED and LOG_CONFLICT these n events
 *            are not in the group, which goes on.  After any other error the
 *            group is void: call drop
 *   commit   on any error nothing of the group was appended
 *   drop     undo what was added
 */
enum log_result log_group_begin(struct log *log);
enum log_result log_group_add(struct log *log, const struct event *events,
    size_t n, struct log_receipt *receipts, size_t *culprit);
enum log_result log_group_commit(struct log *log);
void log_group_drop(struct log *log);

/* ---- JSON (cgi/), by SQLite's own functions ---- */

/*
 * What reads it; costs as much as many a text, so keep it.
 *   returns  NULL if out of memory
 */
struct log_json;
struct log_json *log_json_new(void);
void log_json_free(struct log_json *j); /* j may be NULL */

/*
 * Read one JSON object, or an array of objects.  For each member of each
 * object, member is called in order; before the first member of each object it
 * is called with name.bytes NULL.
 *   index    of the object in the array; 0 for a single object
 *   value    a string decoded; any other value as its JSON text, without
 *            white space
 *   type     SQLite's name of the JSON type: null true false integer real
 *            text array object
 *   returns  LOG_OK; LOG_REFUSED with why set if the text is not JSON, neither
 *            object nor array of objects, holds an escaped NUL or a lone
 *            surrogate, or if member returned false (why untouched then)
 */
typedef bool log_member_fn(void *cookie, size_t index, struct text name,
    struct text value, const char *type);
enum log_result log_read_json(struct log_json *j, struct text json,
    bool *is_array, log_member_fn *member, void *cookie, char why[LOG_WHY_MAX]);

#endif
