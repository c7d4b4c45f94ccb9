/*
 * Whether a database is a log: its tables and triggers are there, and are what
 * they are called.
 *
 * Invariant: no table is read before it is known to be one.  A view in its
 * place would be run.
 */
#include "statement.h"

/* ---- tables ---- */

/* Set *has to whether there is an ordinary table with this column.  A query
   would run the view that may be there instead. */
static enum log_result
has_column(struct log *log, const char *table, const char *column, bool *has,
    int *keeps_ids)
{
	int rc = sqlite3_table_column_metadata(log->db, "main", table, column,
	    NULL, NULL, NULL, NULL, keeps_ids);

	*has = rc == SQLITE_OK;
	return rc == SQLITE_OK || rc == SQLITE_ERROR ? LOG_OK :
						       log_fail(log, rc);
}

enum log_result
log_check_tables(struct log *log, const char **wrong, bool *keeps_ids)
{
	static const char *const tables[][2] = {
		{ "events", "data" },
		{ "events_log", "identity" },
		{ "events_removed", "topic" },
		{ "events_retained", "topic_pattern" },
		{ "retention", "topic_pattern" },
	};
	static const char *const computed =
	    "SELECT count(*) FROM pragma_table_xinfo('events')"
	    " WHERE hidden > 1 AND name IN ('id', 'topic', 'event', 'data',"
	    " 'created_ms', 'retry_ms', 'key')";
	int is_autoincrement = 0;
	enum log_result r;
	int64_t n = 0;
	bool has;

	*wrong = NULL;
	if ((r = has_column(log, "events", "id", &has, &is_autoincrement)) !=
	    LOG_OK)
		return r;
	*keeps_ids = has && is_autoincrement;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		r = has_column(log, tables[i][0], tables[i][1], &has, NULL);
		if (r != LOG_OK || !has) {
			*wrong = tables[i][0];
			return r;
		}
	}
	if ((r = log_query(log, computed, &n)) == LOG_OK && n > 0)
		*wrong = "events";
	return r;
}

/* ---- the database ---- */

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

const char log_remake[] =
    "run 'rowcast export --salvage >SAVED', 'sqlite3 -bail FILE <drop.sql',"
    " 'sqlite3 -bail FILE <schema.sql', 'rowcast import <SAVED'";

/* Refuse a database that lacks the parts of a log and that log_upgrade() cannot
   mend. */
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
		    " migration: %s",
		    log_remake);
	if (!f->keeps_ids)
		return log_error(log, LOG_NOT_A_LOG,
		    "its table 'events' lacks INTEGER PRIMARY KEY"
		    " AUTOINCREMENT, so ids could be reused: name another"
		    " file");
	if (f->version != LOG_FORMAT && f->version != 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "is a log of format %lld, this program reads format %d:"
		    " use the version of rowcast that wrote it, or name"
		    " another file",
		    (long long)f->version, LOG_FORMAT);
	return LOG_OK;
}

enum log_result
log_judge(struct log *log, bool is_upgrade, bool *is_empty)
{
	struct facts f = { 0 };
	enum log_result r;

	*is_empty = false;
	if ((r = read_facts(log, &f)) != LOG_OK)
		return r;
	*is_empty = f.version == 0 && f.objects == 0;
	if ((r = refuse(log, &f)) != LOG_OK || is_upgrade)
		return r;
	if (f.version == 0 && f.rest != 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "is a copy of a log without its PRAGMA user_version, as"
		    " .dump makes it: run 'rowcast init --upgrade FILE'");
	if (f.rest == 0)
		return log_error(log, LOG_NOT_A_LOG,
		    "lacks a table or a trigger of its schema, as after a"
		    " migration: 'rowcast init --upgrade FILE' adds it, or says"
		    " how to make the log anew");
	if (f.wrong != NULL)
		return log_error(log, LOG_NOT_A_LOG,
		    "its '%s' is not a table, or has a generated column:"
		    " name another file",
		    f.wrong);
	log->schema = f.schema;
	return LOG_OK;
}

enum log_result
log_check_schema(struct log *log)
{
	bool ignored;
	int64_t schema;
	enum log_result result =
	    log_query(log, "PRAGMA schema_version", &schema);

	if (result != LOG_OK || schema == log->schema)
		return result;
	return log_judge(log, false, &ignored);
}
