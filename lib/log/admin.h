#ifndef ROWCAST_LOG_ADMIN_H
#define ROWCAST_LOG_ADMIN_H

#include "log.h"

/*
 * The administrator's commands: statistics, removal, checks.  The rules of
 * log.h apply.
 */

/* ---- statistics ---- */

#define LOG_STATS_MINUTES 60

/*
 *   data_bytes    length of the data of all rows
 *   file_bytes    size of the database file
 *   wal_bytes     size of the -wal file; 0 if there is none
 *   minutes       events of each minute of the last hour, the oldest first
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
	char sqlite[16];
};

/*
 * Fill in the statistics, all of the same moment.  Reads every row.
 *   units    now_ms in ms since 1970
 */
enum log_result log_count(struct log *log, int64_t now_ms,
    struct log_stats *stats);

/* Call topic for the topics with the most rows, at most max, the largest
   first. */
typedef void log_topic_fn(void *cookie, struct text topic, int64_t rows);
enum log_result log_largest_topics(struct log *log, int max,
    log_topic_fn *topic, void *cookie);

/* ---- removal ---- */

#define LOG_REMOVE_MAX 1000 /* rows per transaction, so that others can write */

/*
 * Which rows to remove: those that match and are older than before_ms, and all
 * that match but the newest keep_rows.
 *   topic      rows of this topic match, or, with is_prefix, of all topics that
 *              begin with it
 *   before_ms  in ms since 1970; 0 for no limit of age
 *   keep_rows  -1 for no limit of number
 * The other members are private.  Set them to 0 at first.
 */
struct log_surplus {
	struct text topic;
	bool is_prefix;
	int64_t before_ms;
	int64_t keep_rows;
	bool is_found;
	int64_t upto_rows; /* rows up to here are too many */
	int64_t after;     /* rows up to here have been dealt with */
};

/*
 * Remove at most LOG_REMOVE_MAX of these rows in one transaction.  They are
 * searched for before the transaction begins, in 100,000 rows of the log at
 * most: there may be none among them.
 *   returns  LOG_OK with *removed set, and *is_over if there are no more
 */
enum log_result log_remove(struct log *log, struct log_surplus *surplus,
    int64_t *removed, bool *is_over);

/* Count the rules of retention. */
enum log_result log_rules(struct log *log, int64_t *rules);

/*
 * Remove what the rules of retention do not keep, at most LOG_REMOVE_MAX rows
 * per rule, and some thousands in all, in one transaction.
 *   returns  LOG_OK with *removed set, and *overdue to the number of rules that
 *            still keep too much
 */
enum log_result log_remove_by_rules(struct log *log, int64_t *removed,
    int64_t *overdue);

/* ---- damaged logs ---- */

/*
 *   row    one event with all its fields; lent until it returns.  Return false
 *          to end the reading
 *   lost   some or all events from one id to another cannot be read
 */
struct log_salvager {
	bool (*row)(void *cookie, const struct event *e);
	void (*lost)(void *cookie, int64_t from, int64_t to);
	void *cookie;
};

/*
 * Read what can be read of a damaged log: the rows with after < id <= upto, in
 * id order.  Only the path and busy_ms of the options are used.  Nothing is
 * written.
 *   returns  LOG_OK at the end, or once row() returned false.  Else why is set:
 *            LOG_NOT_A_LOG if the header or the schema is damaged so that no
 *            row can be found
 */
enum log_result log_salvage(const struct log_options *options, int64_t after,
    int64_t upto, const struct log_salvager *to, char why[LOG_WHY_MAX]);

/* ---- upgrade ---- */

/*
 * Make the schema of a log that of this release, in one transaction: replace
 * the views and triggers of an earlier release, and add what is missing.  The
 * tables, columns, indexes and triggers of applications are left as they are.
 * Open the log with append and upgrade.
 *   returns  LOG_OK with *changed set to the number of parts that were changed;
 *            LOG_REFUSED if a part was changed by hand.  Nothing is changed
 *            then
 */
enum log_result log_upgrade(struct log *log, int64_t *changed);

/* ---- checks ---- */

enum log_finding {
	LOG_FINDING_GOOD,
	LOG_FINDING_WARNING,
	LOG_FINDING_WRONG,
};

/*
 *   is_full   also compare indexes with their tables, which takes longer
 *   busy_ms   how long to wait for a lock
 *   expected  names of tables whose triggers must insert into events
 */
struct log_check_options {
	bool is_full;
	int busy_ms;
	const char *const *expected;
	size_t n_expected;
};

/*
 * Check the log at path, and call finding with the subject and one line for
 * each result.  A log that is not in WAL mode is changed to it; nothing else
 * is changed.  An event is inserted and rolled back, to try the triggers.
 * No log may be open at this path in this process: closing the file after
 * reading its header would release the locks of that connection.
 */
typedef void log_finding_fn(void *cookie, enum log_finding finding,
    const char *about, const char *line);
void log_check(const char *path, const struct log_check_options *options,
    log_finding_fn *finding, void *cookie);

#endif
