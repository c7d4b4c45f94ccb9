/*
 * Opening a log: create it, recognise it, or refuse it.
 *
 * Invariant: a file that is some other database is never written to.
 */
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"
#include "schema.h"

#define SETTLE_MS 1000 /* for others to finish creating the log */
#define SETTLE_STEP_MS 10

/* Two programs may create the log at once; the second finds it created. */
static enum log_result
create(struct log *log)
{
	enum log_result result = log_execute(log, log_schema);
	int64_t version = 0;

	if (result == LOG_OK)
		return LOG_OK;
	log_rollback(log);
	if (log_query(log, "PRAGMA user_version", &version) == LOG_OK &&
	    version == LOG_FORMAT)
		return LOG_OK;
	return result;
}

/* Recognise the log, or create it in an empty database.  In one transaction,
   for another program may create it between two reads. */
static enum log_result
recognise(struct log *log, const struct log_options *o)
{
	enum log_result r;
	bool is_empty;

	if ((r = log_run(log, "BEGIN")) != LOG_OK)
		return r;
	r = log_judge(log, o->upgrade, &is_empty);
	if (r == LOG_OK)
		return log_run(log, "COMMIT");
	log_rollback(log);
	if (o->create && r == LOG_NOT_A_LOG && is_empty)
		return create(log);
	return r;
}

/*
 * Recognise or create the log, and change it to WAL mode.  While other programs
 * create the log, or close it as the last, that change fails with SQLITE_BUSY
 * at once, whatever the busy timeout.
 */
static enum log_result
settle(struct log *log, const struct log_options *o)
{
	int wait_ms =
	    o->create && o->busy_ms < SETTLE_MS ? SETTLE_MS : o->busy_ms;
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
		result = recognise(log, o);
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
	if (log->path == NULL)
		return log_fail(log, SQLITE_NOMEM);
	if ((result = log_file_find(log, o->create)) != LOG_OK)
		return result;
	rc = sqlite3_open_v2(o->path, &log->db,
	    flags | (o->create ? SQLITE_OPEN_CREATE : 0), NULL);
	if (rc != SQLITE_OK)
		return log_fail(log, rc);
	(void)sqlite3_extended_result_codes(log->db, 1);
	if ((result = log_harden(log, o)) != LOG_OK ||
	    (result = settle(log, o)) != LOG_OK)
		return result;
	if (!o->append)
		log_harden_reader(log);
	if (o->parts && (result = log_huge_prepare(log)) != LOG_OK)
		return result;
	if (!o->upgrade && (result = log_read_identity(log)) != LOG_OK)
		return result;
	(void)sqlite3_busy_timeout(log->db, o->busy_ms); /* cannot fail */
	if (o->append)
		return log_execute(log,
		    o->no_sync ? "PRAGMA synchronous = NORMAL" :
				 "PRAGMA synchronous = FULL");
	/* readers end quickly and leave the checkpoint to writers */
	(void)sqlite3_db_config(log->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL);
	return LOG_OK;
}

enum log_result
log_open(const struct log_options *options, struct log **opened,
    char why[LOG_WHY_MAX])
{
	struct log *log = calloc(1, sizeof(*log));
	enum log_result result;

	*opened = NULL;
	if (log == NULL) {
		(void)snprintf(why, LOG_WHY_MAX, "out of memory");
		return LOG_NO_MEMORY;
	}
	log->data_version = log->schema = -1;
	log->appends = options->append;
	result = open_database(log, options);
	if (result == LOG_OK) {
		*opened = log;
		return LOG_OK;
	}
	memcpy(why, log->why, LOG_WHY_MAX);
	log_close(log);
	return result;
}

struct log *
log_open_memory(void)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log != NULL && sqlite3_open(":memory:", &log->db) != SQLITE_OK) {
		log_close(log);
		log = NULL;
	}
	return log;
}

void
log_close(struct log *log)
{
	if (log == NULL)
		return;
	for (size_t i = 0; i < log->n_kept; i++)
		(void)sqlite3_finalize(log->statements[i]);
	for (size_t i = 0; i <= FILTER_TOPICS_MAX; i++) {
		(void)sqlite3_finalize(log->reads[0][i]);
		(void)sqlite3_finalize(log->reads[1][i]);
		(void)sqlite3_finalize(log->reads[2][i]);
	}
	(void)sqlite3_close(log->db); /* all statements are gone: cannot fail */
	free(log->path);
	free(log->wal);
	free(log);
}

const char *
log_why(const struct log *log)
{
	return log->why;
}
