/*
 * Hardening against the file, which may come from anyone.
 *
 * A schema is a program.  A view in place of a table, a trigger or a generated
 * column would make us run code of the file, without end.  log_judge() refuses
 * such a schema; a statement that runs later is bounded.
 */
#include "log.h"

#include "statement.h"

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
		sqlite3_progress_handler(log->db, LOG_STEPS_OF_TICK, on_tick,
		    log);
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
