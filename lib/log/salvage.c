/*
 * Reading what is left of a damaged log.
 *
 * SQLite reads rows in id order from the table alone, without an index.  Behind
 * a page that it cannot read, ids are probed one by one, so that no readable
 * page is passed over.  After PROBES_MAX probes the steps double, so that the
 * search also ends if ids lie far apart.  What SQLite cannot find, as the pages
 * above it or the WAL are damaged, is searched for in the leaves.
 * Invariant: nothing is written, not even a checkpoint of the WAL.
 */
#include "admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "leaves.h"
#include "statement.h"

#define PROBES_MAX 1000000 /* a few seconds */

/*
 *   after     all rows up to this id have been dealt with
 *   upto      the last id
 *   probes    so far
 *   leaves    NULL until something is lost
 *   is_ended  by a callback
 */
struct salvage {
	const struct log_salvager *to;
	struct log *log;
	int64_t after;
	int64_t upto;
	int64_t probes;
	struct leaves *leaves;
	bool is_ended;
};

/* ---- opening ---- */

/*
 * Open the file without the checks of log_open().  With writable_schema, SQLite
 * also opens a file that was cut off, and uses what it can read of the schema.
 */
static enum log_result
open_database(struct log *log, int busy_ms)
{
	enum log_result result;
	const char *wrong;
	bool keeps_ids;
	int rc;

	rc = sqlite3_open_v2(log->path, &log->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return log_fail(log, rc);
	(void)sqlite3_extended_result_codes(log->db, 1);
	(void)sqlite3_busy_timeout(log->db, busy_ms); /* cannot fail */
	(void)sqlite3_db_config(log->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL);
	result = log_execute(log,
	    "PRAGMA writable_schema = ON; PRAGMA query_only = ON;"
	    " PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;"
	    " PRAGMA cell_size_check = ON");
	if (result == LOG_OK)
		result = log_check_tables(log, &wrong, &keeps_ids);
	if (result != LOG_OK)
		return result;
	log_harden_reader(log);
	if (wrong != NULL && strcmp(wrong, "events") == 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "its schema has no readable table 'events': restore the"
		    " file from a backup");
	return LOG_OK;
}

/* Set *last to the end of the log, or, if that cannot be read, to the highest
   id that there may be. */
static enum log_result
find_last(struct log *log, int64_t *last)
{
	static const char *const queries[] = {
		"SELECT CAST(seq AS INTEGER) FROM sqlite_sequence"
		" WHERE name = 'events'",
		"SELECT max(id) FROM events NOT INDEXED",
	};

	*last = 0;
	for (size_t i = 0; i < 2; i++) {
		int64_t id = 0;
		enum log_result result = log_query(log, queries[i], &id);

		if (result == LOG_NO_MEMORY || result == LOG_BUSY)
			return result;
		if (id > *last)
			*last = id;
	}
	if (*last == 0)
		*last = EVENT_ID_MAX;
	return LOG_OK;
}

/* ---- reading ---- */

/* Read rows up to the first that cannot be read. */
static enum log_result
read_rows(struct salvage *s)
{
	struct statement rows = statement_begin(s->log,
	    "SELECT id, topic, event, data, retry_ms, created_ms, key"
	    " FROM events NOT INDEXED WHERE id >= ?1 AND id <= ?2 ORDER BY id");

	/* as probe() does: id > after could begin in the page before */
	statement_bind_integer(&rows, 1, s->after + 1);
	statement_bind_integer(&rows, 2, s->upto);
	while (!s->is_ended && statement_step(&rows)) {
		struct event e = { .id = statement_integer(&rows, 0) };

		e.topic = statement_text(&rows, 1);
		e.name = statement_text(&rows, 2);
		e.data = statement_text(&rows, 3);
		e.retry_ms = statement_retry_ms(&rows, 4);
		e.created_ms = statement_integer(&rows, 5);
		e.key = statement_text(&rows, 6);
		/* not in order, or NULL where no event has it */
		if (e.id <= s->after || e.topic.bytes == NULL ||
		    e.name.bytes == NULL || e.data.bytes == NULL)
			statement_fail(&rows, SQLITE_CORRUPT);
		if (statement_has_failed(&rows))
			break;
		s->is_ended = !s->to->row(s->to->cookie, &e);
		s->after = e.id;
	}
	return statement_end(&rows);
}

/* Set *is_found to whether the place of an id in the table can be read, and *id
   to the first row from there on; to 0 if there is none. */
static enum log_result
probe(struct salvage *s, int64_t from, bool *is_found, int64_t *id)
{
	struct statement row = statement_begin(s->log,
	    "SELECT id FROM events NOT INDEXED WHERE id >= ?1 AND id <= ?2"
	    " ORDER BY id LIMIT 1");
	enum log_result result;

	s->probes++;
	statement_bind_integer(&row, 1, from);
	statement_bind_integer(&row, 2, s->upto);
	result = statement_end_value(&row, id);
	*is_found = result == LOG_OK && (*id == 0 || *id >= from);
	return result == LOG_BROKEN ? LOG_OK : result;
}

/* Set *to to the first id > from that probe() finds; upto + 1 if there is
   none.  probe() does not find from. */
static enum log_result
find_next(struct salvage *s, int64_t from, int64_t *to)
{
	int64_t bad = from, step = 1, ignored;
	enum log_result result;
	bool is_found = false;

	while (!is_found) {
		if (bad == s->upto) {
			*to = bad + 1;
			return LOG_OK;
		}
		if (s->probes > PROBES_MAX && step < INT64_MAX / 2)
			step *= 2;
		*to = s->upto - bad < step ? s->upto : bad + step;
		result = probe(s, *to, &is_found, &ignored);
		if (result != LOG_OK)
			return result;
		if (!is_found)
			bad = *to;
	}
	while (*to - bad > 1) {
		int64_t middle = bad + (*to - bad) / 2;

		result = probe(s, middle, &is_found, &ignored);
		if (result != LOG_OK)
			return result;
		if (is_found)
			*to = middle;
		else
			bad = middle;
	}
	return LOG_OK;
}

/* Search the leaves for rows with from <= id <= to, which SQLite cannot find,
   and report those between them as lost. */
static enum log_result
search_leaves(struct salvage *s, int64_t from, int64_t to)
{
	enum leaves_result result = LEAVES_END;
	struct event e;

	if (s->leaves == NULL && (s->leaves = leaves_new(s->log->path)) == NULL)
		return log_fail(s->log,
		    errno == ENOMEM ? SQLITE_NOMEM : SQLITE_IOERR);
	while (from <= to && !s->is_ended &&
	    (result = leaves_find(s->leaves, from, to, &e)) == LEAVES_ROW) {
		if (e.id > from)
			s->to->lost(s->to->cookie, from, e.id - 1);
		s->is_ended = !s->to->row(s->to->cookie, &e);
		from = e.id + 1;
	}
	if (result == LEAVES_NO_MEMORY)
		return log_fail(s->log, SQLITE_NOMEM);
	if (from <= to && !s->is_ended)
		s->to->lost(s->to->cookie, from, to);
	return LOG_OK;
}

/* Step over what SQLite cannot read. */
static enum log_result
step_over(struct salvage *s)
{
	int64_t from = s->after + 1, to = 0, id = 0;
	enum log_result result;
	bool is_found;

	if ((result = probe(s, from, &is_found, &id)) != LOG_OK)
		return result;
	if (is_found && id == 0) { /* there are no more */
		s->after = s->upto;
		return LOG_OK;
	}
	if (is_found) {
		/* the row is there, but its data is not */
		from = id;
		to = id + 1;
	} else if ((result = find_next(s, from, &to)) != LOG_OK) {
		return result;
	}
	s->after = to - 1;
	return search_leaves(s, from, to - 1);
}

static enum log_result
read_all(struct salvage *s)
{
	enum log_result result = LOG_OK;

	while (result == LOG_OK && !s->is_ended && s->after < s->upto) {
		result = read_rows(s);
		if (result == LOG_OK)
			break;
		if (result == LOG_BROKEN)
			result = step_over(s);
	}
	return result;
}

/* SQLite cannot open the file.  It is some other file if it has no events. */
static enum log_result
read_leaves(struct salvage *s, enum log_result refusal)
{
	struct event e;

	s->leaves = leaves_new(s->log->path);
	if (s->leaves == NULL ||
	    leaves_find(s->leaves, s->after + 1, s->upto, &e) != LEAVES_ROW)
		return refusal;
	return search_leaves(s, s->after + 1, s->upto);
}

static enum log_result
salvage(struct salvage *s, int busy_ms)
{
	const int64_t asked = s->upto;
	struct log *log = s->log;
	int64_t last;
	enum log_result result;
	bool has_hidden;

	if (log_file_judge(log->path, log->why) != 0)
		return LOG_BROKEN;
	has_hidden = image_has_hidden_commits(log->path);
	/* SQLite must not open an empty file that has a WAL: it deletes that */
	if ((result = log_file_find(log, false)) == LOG_OK)
		result = open_database(log, busy_ms);
	if (result == LOG_NOT_A_LOG || result == LOG_BROKEN)
		return read_leaves(s, result);
	if (result != LOG_OK || (result = find_last(log, &last)) != LOG_OK)
		return result;
	if (s->upto > last)
		s->upto = last;
	result = read_all(s);
	/* SQLite has read the WAL up to the damage only */
	if (result == LOG_OK && !s->is_ended && has_hidden && s->after < asked)
		result = search_leaves(s, s->after + 1, asked);
	return result;
}

enum log_result
log_salvage(const struct log_options *options, int64_t after, int64_t upto,
    const struct log_salvager *to, char why[LOG_WHY_MAX])
{
	struct log *log = calloc(1, sizeof(*log));
	struct salvage s = { .to = to, .log = log, .after = after };
	enum log_result result;

	if (log != NULL)
		log->path = strdup(options->path);
	if (log == NULL || log->path == NULL) {
		log_close(log);
		(void)snprintf(why, LOG_WHY_MAX, "out of memory");
		return LOG_NO_MEMORY;
	}
	s.upto = upto < EVENT_ID_MAX ? upto : EVENT_ID_MAX;
	result = salvage(&s, options->busy_ms);
	if (result != LOG_OK)
		memcpy(why, log->why, LOG_WHY_MAX);
	log_close(log);
	leaves_free(s.leaves); /* last: this releases locks */
	return result;
}
