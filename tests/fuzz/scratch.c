/*
 * A log for each input.  SQLite takes longer to create one than most inputs
 * take to run, so there is only one, which is emptied.
 */
#include "scratch.h"

#include <stdarg.h>
#include <unistd.h>

#include <sqlite3.h>

#include "lib/log/log.h"
#include "fuzz.h"

static char folder[64];
static char path[96];
/* They stay open, as opening takes milliseconds.  The broom fires no triggers,
   so that it empties each table at once; to switch that on and off would
   prepare all statements again. */
static sqlite3 *hand, *broom;

/* Kept too: to prepare one with all its triggers takes as long. */
/* NOLINTBEGIN(bugprone-suspicious-missing-comma): two are long */
static const char *const texts[] = {
	"BEGIN",
	"DELETE FROM events",
	"DELETE FROM events_removed",
	"DELETE FROM retention",
	"DELETE FROM events_retained",
	"DELETE FROM sqlite_sequence",
	"UPDATE events_log SET removals = 0, forgotten = 0,"
	" identity = '0123456789abcdef0123456789abcdef'",
	"COMMIT",
	"BEGIN",
	"COMMIT",
	"INSERT INTO events (id, topic, event, data, retry_ms, created_ms)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	"DELETE FROM events WHERE id = ?1",
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */
enum { SWEPT = 7, BEGIN, COMMIT, INSERT, REMOVE, N_STATEMENTS };
static sqlite3_stmt *statements[N_STATEMENTS];

static void
drop(const char *suffix)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	(void)unlink(name); /* it may not be there */
}

static void
drop_all(void)
{
	for (int i = 0; i < N_STATEMENTS; i++)
		(void)sqlite3_finalize(statements[i]);
	(void)sqlite3_close(hand); /* it ends here in any case */
	(void)sqlite3_close(broom);
	drop("");
	drop("-wal");
	drop("-shm");
	(void)rmdir(folder); /* it stays if something else is in it */
}

static void
make(void)
{
	struct log_options options = { .path = path, .create = true };
	const char *parent = getenv("TMPDIR");
	char why[LOG_WHY_MAX];
	struct log *log;

	(void)snprintf(folder, sizeof(folder), "%.40s/rowcast-fuzz.XXXXXX",
	    parent != NULL ? parent : "/tmp");
	require(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/log.db", folder);
	require(atexit(drop_all) == 0);
	require(log_open(&options, &log, why) == LOG_OK);
	log_close(log);
	require(sqlite3_open(path, &hand) == SQLITE_OK);
	require(sqlite3_open(path, &broom) == SQLITE_OK);
	(void)sqlite3_db_config(broom, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
}

static void
prepare_all(void)
{
	for (int i = 0; i < N_STATEMENTS; i++) {
		require(sqlite3_prepare_v3(i <= SWEPT ? broom : hand, texts[i],
			    -1, SQLITE_PREPARE_PERSISTENT, &statements[i],
			    NULL) == SQLITE_OK);
	}
}

static void
run(int which)
{
	if (sqlite3_step(statements[which]) != SQLITE_DONE) {
		(void)fprintf(stderr, "%s: %s\n", texts[which],
		    sqlite3_errmsg(hand));
		abort();
	}
	(void)sqlite3_reset(statements[which]); /* it gave no error */
}

const char *
scratch_log(void)
{
	if (hand == NULL) {
		make();
		prepare_all();
	}
	for (int i = 0; i <= SWEPT; i++)
		run(i);
	return path;
}

void
scratch_begin(void)
{
	run(BEGIN);
}

void
scratch_commit(void)
{
	run(COMMIT);
}

static void
bind_text(sqlite3_stmt *s, int i, struct text t)
{
	(void)sqlite3_bind_text64(s, i, t.len > 0 ? t.bytes : "", t.len,
	    SQLITE_STATIC, SQLITE_UTF8); /* else the insert fails */
}

void
scratch_insert(const struct event *e, int64_t created_ms)
{
	sqlite3_stmt *s = statements[INSERT];

	(void)sqlite3_bind_int64(s, 1, e->id);
	bind_text(s, 2, e->topic);
	bind_text(s, 3, e->name);
	bind_text(s, 4, e->data);
	if (e->retry_ms == EVENT_NO_RETRY)
		(void)sqlite3_bind_null(s, 5);
	else
		(void)sqlite3_bind_int64(s, 5, e->retry_ms);
	(void)sqlite3_bind_int64(s, 6, created_ms);
	run(INSERT);
}

void
scratch_remove(int64_t id)
{
	(void)sqlite3_bind_int64(statements[REMOVE], 1, id);
	run(REMOVE);
}

void
scratch_sql(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = sqlite3_vmprintf(format, arguments);
	va_end(arguments);
	require(text != NULL);
	if (sqlite3_exec(hand, text, NULL, NULL, NULL) != SQLITE_OK) {
		(void)fprintf(stderr, "%s: %s\n", text, sqlite3_errmsg(hand));
		abort();
	}
	sqlite3_free(text);
}
