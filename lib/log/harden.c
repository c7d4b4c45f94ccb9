/*
 * Hardening against the file, which may come from anyone.
 *
 * A schema is a program.  A view in place of a table, a trigger or a generated
 * column would make us run code of the file, without end.  Such a schema is
 * refused when the log is opened; a statement that runs later is bounded.
 */
#include "log.h"

#include "statement.h"

#define STEPS_OF_TICK 1000000
#define TICKS_MAX 100 /* a second or two; a normal call takes milliseconds */

static int
on_tick(void *cookie)
{
	struct log *log = cookie;

	return ++log->ticks > TICKS_MAX; /* true: SQLITE_INTERRUPT */
}

enum log_result
log_harden(struct log *log, const struct log_options *o)
{
	if (o->bounded)
		sqlite3_progress_handler(log->db, STEPS_OF_TICK, on_tick, log);
	/* cannot fail: every version that can run schema.sql has it */
	(void)sqlite3_db_config(log->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* The sandbox allows no temporary files; a mapped file that is
	   truncated ends the process. */
	return log_execute(log,
	    "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;"
	    " PRAGMA cell_size_check = ON");
}

void
log_harden_reader(struct log *log)
{
	static const int off[] = { SQLITE_DBCONFIG_TRUSTED_SCHEMA,
		SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_ENABLE_TRIGGER };

	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		(void)sqlite3_db_config(log->db, off[i], 0, NULL);
	(void)sqlite3_drop_modules(log->db, NULL); /* always SQLITE_OK */
}

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
