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

#define FORMAT 1       /* user_version in sql/schema.sql */
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
	    version == FORMAT)
		return LOG_OK;
	return result;
}

/*
 * What the open database contains.
 *   schema  changes with every change of the schema
 *   rest    whether it has the other objects of the schema.  A table that is
 *           rebuilt or renamed takes its triggers with it
 */
struct facts {
	int64_t version;
	int64_t schema;
	int64_t objects;
	int64_t events; /* the table */
	int64_t parts;  /* other tables of the schema */
	int64_t rest;
	bool keeps_ids;    /* ids are never reused */
	const char *wrong; /* what log_check_tables() refuses */
};

static enum log_result
read_facts(struct log *log, struct facts *f)
{
	const struct log_query queries[] = {
		{ "PRAGMA user_version", &f->version },
		{ "PRAGMA schema_version", &f->schema },
		{ "SELECT count(*) FROM sqlite_schema", &f->objects },
		{ "SELECT count(*) FROM sqlite_schema"
		  " WHERE type = 'table' AND name = 'events'",
		    &f->events },
		{ "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
		  " AND name IN ('events_log', 'events_removed', 'retention')",
		    &f->parts },
		{ "SELECT count(*) = 4 FROM sqlite_schema"
		  " WHERE name IN ('events_removed', 'retention')"
		  " OR (name IN ('events_remember_removed', 'events_retain')"
		  " AND tbl_name = 'events')",
		    &f->rest },
	};
	enum log_result r;

	r = log_query_all(log, queries, sizeof(queries) / sizeof(queries[0]));
	if (r == LOG_OK)
		r = log_check_tables(log, &f->wrong, &f->keeps_ids);
	return r;
}

/* Refuse a database that has not the parts of a log.  What can be mended is left
   to log_upgrade(). */
static enum log_result
refuse(struct log *log, const struct facts *f)
{
	if (f->version == 0 && f->objects == 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "is empty: publish something first");
	if (f->events == 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "is a database without an event log: add one"
		    " with 'sqlite3 -bail FILE <schema.sql', or name another"
		    " file");
	if (!f->keeps_ids && f->parts > 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "its table 'events' lacks AUTOINCREMENT, as after a"
		    " migration or a copy that rebuilt it: save the events with"
		    " 'rowcast export --salvage', drop the tables events,"
		    " events_log, events_removed, events_retained and"
		    " retention and the views events_aged, events_kept and"
		    " events_searched, run 'sqlite3 -bail FILE <schema.sql',"
		    " then 'rowcast import'");
	if (!f->keeps_ids)
		return log_error(log, LOG_NOT_A_LOG,
		    "its table 'events' lacks INTEGER PRIMARY KEY"
		    " AUTOINCREMENT, so ids could be reused: name another"
		    " file");
	if (f->version != FORMAT && f->version != 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "is a log of format %lld, this program reads format %d:"
		    " use the version of rowcast that wrote it, or name"
		    " another file",
		    (long long)f->version, FORMAT);
	return LOG_OK;
}

/* Check that the open database is a log of our format. */
static enum log_result
judge(struct log *log, struct facts *f, bool is_upgrade)
{
	enum log_result r;

	*f = (struct facts){ 0 };
	if ((r = read_facts(log, f)) != LOG_OK ||
	    (r = refuse(log, f)) != LOG_OK || is_upgrade)
		return r;
	if (f->version == 0 && f->rest != 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "is a copy of a log without its PRAGMA user_version, as"
		    " .dump makes it: run 'rowcast init --upgrade FILE'");
	if (f->rest == 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "lacks a table or a trigger of its schema, as after a"
		    " migration that rebuilt 'events': 'rowcast init --upgrade"
		    " FILE' adds it, or says how to make a new log");
	if (f->wrong != NULL)
		return log_error(log, LOG_NOT_A_LOG,
		    "its '%s' is not a table, or has a generated column:"
		    " name another file",
		    f->wrong);
	log->schema = f->schema;
	return LOG_OK;
}

enum log_result
log_judge(struct log *log)
{
	struct facts f;

	return judge(log, &f, false);
}

/* Recognise the log, or create it in an empty database.  In one transaction,
   for another program may create it between two reads. */
static enum log_result
recognise(struct log *log, const struct log_options *o)
{
	struct facts f = { 0 };
	enum log_result r;

	if ((r = log_run(log, "BEGIN")) != LOG_OK)
		return r;
	r = judge(log, &f, o->upgrade);
	if (r == LOG_OK)
		return log_run(log, "COMMIT");
	log_rollback(log);
	if (o->create && r == LOG_NOT_A_LOG && f.version == 0 && f.objects == 0)
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
