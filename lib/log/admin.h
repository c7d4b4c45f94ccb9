#ifndef ROWCAST_LOG_ADMIN_H
#define ROWCAST_LOG_ADMIN_H

#include "log.h"

/*
 * Looking after a log (cli/): what its rows hold besides, how large it is, what
 * may be removed, whether it is sound.  Calls of log.h apply: one struct log
 * is one connection, and log_why() says what went wrong.
 */

/*
 * What a row holds that log_read() does not give.  May be called while that
 * reads, from its callback.
 *   key      bytes NULL for none; else it points into bytes
 *   returns  LOG_OK, also where the row has gone: then there is no key, and
 *            created_ms is 0
 */
struct log_origin {
	int64_t created_ms;
	struct text key;
	char bytes[EVENT_NAME_MAX];
};
enum log_result log_origin(struct log *log, int64_t id, struct log_origin *o);

/* ---- how large it is ---- */

#define LOG_STATS_MINUTES 60

/*
 *   data_bytes    of all rows' data
 *   file_bytes    of the database with all that is in it; wal_bytes of the
 *                 file beside it, 0 if there is none
 *   minutes       events of each minute of the last hour, the oldest first
 *   journal_mode  as SQLite names it
 */
struct log_stats {
	int64_t rows;
	int64_t first;
	int64_t last;
	int64_t head;
	int64_t removed;
	int64_t topics;
	int64_t data_bytes;
	int64_t file_bytes;
	int64_t wal_bytes;
	int64_t minutes[LOG_STATS_MINUTES];
	int64_t format;
	int64_t page_bytes;
	int64_t auto_vacuum;
	char journal_mode[16];
	char sqlite[16];
};

/*
 * Count all of it, at one moment.  Reads every row.
 *   units    now_ms since 1970
 */
enum log_result log_count(struct log *log, int64_t now_ms,
    struct log_stats *stats);

/* The topics with the most rows, at most max, the largest first; topic is lent
   until it returns. */
typedef void log_topic_fn(void *cookie, struct text topic, int64_t rows);
enum log_result log_largest_topics(struct log *log, int max,
    log_topic_fn *topic, void *cookie);

/* ---- what may be removed ---- */

#define LOG_REMOVE_MAX 1000 /* rows in one transaction: others want to write */

/*
 * Which rows are too many: those that are older than before_ms, and all but
 * the newest keep_rows of those that match.
 *   topic      of one topic, or (is_prefix) of all that begin so; all with the
 *              empty prefix
 *   units      before_ms since 1970; 0 for none
 *   keep_rows  -1 for all
 * The rest is private, and 0 at first.
 */
struct log_surplus {
	struct text topic;
	bool is_prefix;
	int64_t before_ms;
	int64_t keep_rows;
	bool is_found;
	int64_t upto_rows; /* down from here, rows are too many */
	int64_t upto_time; /* down from here, they may be too old */
	int64_t after;     /* what was removed already */
};

/*
 * Remove some of them: at most LOG_REMOVE_MAX, in one transaction, without
 * looking for them in it.
 *   returns  LOG_OK with *removed and *is_over set
 */
enum log_result log_remove(struct log *log, struct log_surplus *surplus,
    int64_t *removed, bool *is_over);

/* How many rules of retention there are; -1 if the log is older than they. */
enum log_result log_rules(struct log *log, int64_t *rules);

/*
 * Remove what the rules of retention do not keep: of each LOG_REMOVE_MAX at
 * most, in one transaction.
 *   returns  LOG_OK with *removed set, and *overdue to the number of rules that
 *            still keep too much
 */
enum log_result log_remove_by_rules(struct log *log, int64_t *removed,
    int64_t *overdue);

/* ---- is it sound? ---- */

enum log_finding {
	LOG_FINDING_GOOD,
	LOG_FINDING_WARNING,
	LOG_FINDING_WRONG,
};

/*
 * Look at the log at path, and tell what was found: about what, and one line.
 *   is_full  compare indexes with tables as well, which takes longer
 *   finding  about and line are lent until it returns
 * Nothing is changed but what opening changes: a log that is not in WAL mode is
 * put into it.  No log may be open at this path in this process: closing the
 * file, which is read as such, would give up its locks.
 */
typedef void log_finding_fn(void *cookie, enum log_finding finding,
    const char *about, const char *line);
void log_check(const char *path, bool is_full, int busy_ms,
    log_finding_fn *finding, void *cookie);

#endif
