/*
 * log: what is opened, created and refused; changes that are noticed;
 * appending.
 */
#include "logs.h"

#include <sys/stat.h>

#include "lib/log/fingerprint.h"

/* ---- opening ---- */

static void
check_create(void)
{
	char identity[33];
	struct log *log, *second;
	int64_t head = -1;

	new_path();
	check(opens_as(false, LOG_BROKEN, ""),
	    "open: a missing file is not made unasked");
	check(access(path, F_OK) != 0, "open: nor left behind");
	log = open_log(true, false);
	check(log != NULL && log_head(log, &head) == LOG_OK && head == 0,
	    "open: a missing file becomes a new log");
	if (log == NULL)
		abort();
	check(strlen(log_identity(log)) == 32 &&
		strspn(log_identity(log), "0123456789abcdef") == 32,
	    "open: its identity is 32 hex digits");
	(void)snprintf(identity, sizeof(identity), "%s", log_identity(log));
	second = open_log(false, true);
	check(second != NULL && strcmp(log_identity(second), identity) == 0,
	    "open: the same for each opening");
	log_close(log);
	log_close(second);
	log = new_log();
	check(strcmp(log_identity(log), identity) != 0,
	    "open: another for another log");
	check(append(log, "", "x") == 1, "open: a new log can be appended to");
	log_close(log);
	log_close(NULL);
	check(true, "close takes NULL");

	new_path();
	write_file("", 0);
	check(opens_as(false, LOG_NOT_A_LOG, "empty"),
	    "open: an empty file is no log");
	check(opens_as(true, LOG_OK, ""), "open: but becomes one");
}

static bool
is_other(struct log *log)
{
	struct fingerprint f;
	bool is_same = true;

	fingerprint_take(&f, log);
	return fingerprint_check(&f, log, &is_same) == LOG_OK && !is_same;
}

/* People put in their own, such as a UUID with its dashes. */
static void
check_identity(void)
{
	struct log *log = new_log();
	struct fingerprint f;
	bool is_same;

	fingerprint_take(&f, log);
	check(!is_other(log), "identity: a log is no other one by itself");
	sql("UPDATE events_log SET identity ="
	    " '123e4567-e89b-12d3-a456-426614174000';");
	check(is_other(log) && !is_other(log),
	    "identity: one of 36 bytes is another one, once");
	sql("UPDATE events_log SET identity ="
	    " '123e4567-e89b-12d3-a456-426614174001';");
	check(is_other(log), "identity: all of it counts");
	sql("UPDATE events_log SET identity = printf('%0255d', 1);");
	check(is_other(log) && !is_other(log) &&
		strlen(log_identity(log)) == 255,
	    "identity: 255 bytes are kept");
	sql("UPDATE events_log SET identity = '';");
	check(is_other(log) && !is_other(log) && *log_identity(log) == '\0' &&
		opens_as(false, LOG_OK, ""),
	    "identity: none is one, too");
	sql("UPDATE events_log SET identity = printf('%0256d', 1);");
	check(fingerprint_check(&f, log, &is_same) == LOG_NOT_A_LOG &&
		strstr(log_why(log), "identity is longer than 255") != NULL,
	    "identity: a longer one is an error, not another log");
	check(opens_as(false, LOG_NOT_A_LOG, "identity is longer than 255"),
	    "identity: and is refused");
	sql("UPDATE events_log SET identity = 'a' || char(0) || 'b';");
	check(fingerprint_check(&f, log, &is_same) == LOG_NOT_A_LOG &&
		opens_as(false, LOG_NOT_A_LOG, "or holds NUL"),
	    "identity: so is one with a NUL");
	sql("UPDATE events_log SET identity = 'x';");
	check(is_other(log) && !is_other(log), "identity: until it is shorter");
	log_close(log);
}

static void
check_refusals(void)
{
	new_path();
	write_file("This is a letter, and no database at all.\n", 42);
	check(opens_as(true, LOG_NOT_A_LOG, "not a database"),
	    "open: a file of text is refused");
	new_path();
	sql("CREATE TABLE other(x); INSERT INTO other VALUES(1);");
	check(opens_as(true, LOG_NOT_A_LOG, "without an event log"),
	    "open: another database is refused");
	check(shell_on(path, "SELECT 1/(count(*)=1) FROM other;"),
	    "open: and left as it is");
	new_path();
	sql("CREATE TABLE events(id INTEGER PRIMARY KEY, data TEXT);");
	check(opens_as(true, LOG_NOT_A_LOG, "AUTOINCREMENT"),
	    "open: ids that could come back are refused");
	new_path();
	log_close(open_log(true, false));
	sql("PRAGMA user_version = 2;");
	check(opens_as(true, LOG_NOT_A_LOG, "format 2"),
	    "open: another version is refused, and named");
	new_path();
	log_close(open_log(true, false));
	sql("DROP TRIGGER events_remember_removed;");
	check(opens_as(true, LOG_NOT_A_LOG, ""),
	    "open: a log without its trigger is refused");
	new_path();
	log_close(open_log(true, false));
	sql("DROP TABLE retention;");
	check(opens_as(true, LOG_NOT_A_LOG, "lacks a table"),
	    "open: a log without retention is refused, and why");
	new_path();
	if (mkdir(path, 0700) != 0)
		abort();
	check(opens_as(true, LOG_BROKEN, ""), "open: a folder is refused");
}

static void
check_changes(void)
{
	struct log *writer = new_log();
	struct log *reader = open_log(false, false);
	bool changed = false;
	char to[80];

	if (reader == NULL)
		abort();
	check(log_changed(reader, &changed) == LOG_OK && changed,
	    "changed: yes, the first time");
	check(log_changed(reader, &changed) == LOG_OK && !changed,
	    "changed: no, when nobody wrote");
	(void)append(writer, "", "x");
	check(log_changed(reader, &changed) == LOG_OK && changed,
	    "changed: yes, when another connection has committed");
	check(log_changed(reader, &changed) == LOG_OK && !changed,
	    "changed: once");
	check(!log_is_replaced(reader), "replaced: no");
	(void)snprintf(to, sizeof(to), "%s.old", path);
	if (rename(path, to) != 0)
		abort();
	check(!log_is_replaced(reader), "replaced: not by nothing");
	write_file("", 0);
	check(log_is_replaced(reader), "replaced: by another file");
	log_close(reader);
	log_close(writer);
}

/* ---- appending ---- */

static bool
on_row(void *cookie, const struct event *e)
{
	(void)e; /* that it is there is enough */
	(*(int64_t *)cookie)++;
	return true;
}

static int64_t
count_rows(struct log *log)
{
	const struct log_range range = { .upto = INT64_MAX, .max_rows = 1000 };
	int64_t reached, n = 0;

	return log_read(log, &range, on_row, &n, &reached) == LOG_OK ? n : -1;
}

static void
check_append(void)
{
	struct log *log = new_log();
	struct event e[3] = { event("t", "1"), event("", "2"), event("", "") };
	struct log_receipt r[3] = { { 0 } };
	size_t culprit = 99;

	check(log_append(log, e, 3, r, &culprit) == LOG_OK && r[0].id == 1 &&
		r[1].id == 2 && r[2].id == 3 && r[0].is_new && r[1].is_new &&
		r[2].is_new,
	    "append: each event gets an id");
	e[0].data = TEXT("a\0b");
	check(log_append(log, e, 1, r, &culprit) == LOG_OK &&
		shell_on(path,
		    "SELECT 1/(hex(data)='610062') FROM events"
		    " WHERE id=4;"),
	    "append: data may hold NUL");
	e[1].name = TEXT("bad\nname");
	check(log_append(log, e, 3, r, &culprit) == LOG_REFUSED &&
		culprit == 1 &&
		strcmp(log_why(log), "event holds CR, LF or NUL") == 0,
	    "append: the schema's words, and who it was");
	check(count_rows(log) == 4, "append: all or none");
	e[1].name = TEXT("message");
	check(log_append(log, e, 3, r, &culprit) == LOG_OK && r[0].id >= 5 &&
		count_rows(log) == 7,
	    "append: goes on afterwards");
	log_close(log);
}

/* The limits of lib/event.h are those of the schema. */
static void
check_limits(void)
{
	static char name[EVENT_NAME_MAX + 1];
	struct event e = { .name = TEXT("message"), .data = TEXT("x") };
	struct log *log = new_log();
	struct log_receipt r;
	size_t culprit;

	memset(name, 'x', sizeof(name));
	e.topic = e.name = e.key = (struct text){ name, EVENT_NAME_MAX };
	e.retry_ms = EVENT_RETRY_MAX_MS;
	check(log_append(log, &e, 1, &r, &culprit) == LOG_OK,
	    "limits: the longest names and time are taken");
	e.key = (struct text){ 0 };
	e.retry_ms++;
	check(log_append(log, &e, 1, &r, &culprit) == LOG_REFUSED &&
		strstr(log_why(log), "retry_ms is outside") != NULL,
	    "limits: a longer time is refused");
	e.retry_ms = 0;
	e.topic.len++;
	check(log_append(log, &e, 1, &r, &culprit) == LOG_REFUSED &&
		strstr(log_why(log), "topic is longer") != NULL,
	    "limits: so is a longer topic");
	e.topic.len--;
	e.name = TEXT(EVENT_RESERVED "x");
	check(log_append(log, &e, 1, &r, &culprit) == LOG_REFUSED &&
		strstr(log_why(log), "event begins with") != NULL,
	    "limits: so is a reserved name");
	log_close(log);
}

/* The reason that the schema gives for each name that it refuses. */
static void
check_names(void)
{
	char x[256];
	const struct {
		struct text topic, name, key;
		const char *why;
	} rows[] = {
		{ TEXT("a\nb"), TEXT("e"), TEXT("k"),
		    "topic holds CR, LF or NUL" },
		{ TEXT("a\0b"), TEXT("e"), TEXT("k"),
		    "topic holds CR, LF or NUL" },
		{ { x, 256 }, TEXT("e"), TEXT("k"),
		    "topic is longer than 255 bytes" },
		{ TEXT("t"), TEXT("a\rb"), TEXT("k"),
		    "event holds CR, LF or NUL" },
		{ TEXT("t"), TEXT(""), TEXT("k"), "event is empty" },
		{ TEXT("t"), { x, 256 }, TEXT("k"),
		    "event is longer than 255 bytes" },
		{ TEXT("t"), TEXT("stream-gap"), TEXT("k"),
		    "event begins with stream-" },
		{ TEXT("t"), TEXT("e"), TEXT(""),
		    "key is empty or longer than 255 bytes" },
		{ TEXT("t"), TEXT("e"), { x, 256 },
		    "key is empty or longer than 255 bytes" },
	};
	struct log *log = new_log();
	struct log_receipt r;
	size_t culprit;

	memset(x, '0', sizeof(x));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event e = event("", "x");

		e.topic = rows[i].topic;
		e.name = rows[i].name;
		e.key = rows[i].key;
		check(log_append(log, &e, 1, &r, &culprit) == LOG_REFUSED &&
			strstr(log_why(log), rows[i].why) != NULL &&
			count_rows(log) == 0,
		    "names: %s", rows[i].why);
	}
	log_close(log);
}

static void
check_keys(void)
{
	struct log *log = new_log();
	struct event e[3] = { event("", "1"), event("", "2"), event("", "3") };
	struct log_receipt r[3] = { { 0 } };
	size_t culprit;

	e[0].key = TEXT("k");
	check(log_append(log, e, 1, r, &culprit) == LOG_OK && r[0].id == 1 &&
		r[0].is_new,
	    "keys: the first is new");
	check(log_append(log, e, 1, r, &culprit) == LOG_OK && r[0].id == 1 &&
		!r[0].is_new && count_rows(log) == 1,
	    "keys: the second adds nothing and gets the first one's id");
	e[2].key = TEXT("k");
	check(log_append(log, e, 3, r, &culprit) == LOG_CONFLICT &&
		culprit == 2 && count_rows(log) == 1 &&
		strstr(log_why(log), "event 1") != NULL,
	    "keys: one of another event is refused, and all with it");
	e[1].key = TEXT("l");
	e[2] = e[1];
	check(log_append(log, e, 3, r, &culprit) == LOG_OK && r[0].id == 1 &&
		!r[0].is_new && r[1].is_new && r[2].id == r[1].id &&
		!r[2].is_new && count_rows(log) == 2,
	    "keys: twice in one transaction likewise");
	e[1].key = TEXT("m");
	e[2] = event("", "3");
	e[2].key = TEXT("");
	check(log_append(log, e, 3, r, &culprit) == LOG_REFUSED &&
		culprit == 2 && count_rows(log) == 2,
	    "keys: an empty one is refused, and all with it");
	e[2].key = TEXT("n");
	check(log_append(log, e, 3, r, &culprit) == LOG_OK && r[1].is_new &&
		r[2].is_new && r[2].id == r[1].id + 1,
	    "keys: what was rolled back left no key behind");
	e[0].retry_ms = 5;
	check(log_append(log, e, 1, r, &culprit) == LOG_CONFLICT,
	    "keys: all of an event counts");
	log_close(log);
}

static bool
on_full(void *cookie, const struct event *e)
{
	int *n = cookie;
	bool is_full = e->created_ms == 5 &&
	    (e->id == 1 ? text_is(e->key, "k") : e->key.bytes == NULL);
	bool is_bare = e->created_ms == 0 && e->key.bytes == NULL;

	*n += is_full ? 10 : is_bare ? 1 : 100;
	return text_is(e->data, "x");
}

static void
check_full(void)
{
	const struct pattern p = { TEXT(""), false };
	struct filter *f = filter_new(&p, 1, NULL, 0);
	struct log *log = new_log();
	struct log_range range = { .upto = 2, .max_rows = 10 };
	int64_t reached;
	int n = 0;

	if (f == NULL)
		abort();
	sql("INSERT INTO events(data, key, created_ms)"
	    " VALUES('x', 'k', 5), ('x', NULL, 5);");
	check(log_read(log, &range, on_full, &n, &reached) == LOG_OK && n == 2,
	    "rows come without key and time");
	range.is_full = true;
	n = 0;
	check(log_read(log, &range, on_full, &n, &reached) == LOG_OK && n == 20,
	    "but for a full read");
	range.filter = f;
	n = 0;
	check(log_read(log, &range, on_full, &n, &reached) == LOG_OK && n == 20,
	    "also of some topics");
	filter_free(f);
	log_close(log);
}

/* Somebody else holds the lock, for as long as we look. */
static void
check_busy(void)
{
	struct log *log = new_log(), *reader;
	char command[128];
	int64_t head = -1;
	FILE *f;

	(void)append(log, "", "x");
	reader = open_log(false, false);
	/* the shell is to wait for our own appends */
	(void)snprintf(command, sizeof(command),
	    "sqlite3 -bail -cmd '.timeout 10000' '%s'", path);
	f = popen(command, "w");
	if (f == NULL || reader == NULL)
		abort();
	(void)fputs("BEGIN IMMEDIATE; INSERT INTO events(data) VALUES('y');\n",
	    f);
	(void)fflush(f);
	for (int i = 0; i < 500 && append(log, "", "z") > 0; i++)
		(void)usleep(10000);
	check(append(log, "", "z") == -1 && log_why(log)[0] != '\0',
	    "busy: an append fails when others hold the lock");
	check(log_head(reader, &head) == LOG_OK && head >= 1,
	    "busy: a reader does not wait");
	(void)fputs("ROLLBACK;\n", f);
	(void)pclose(f);
	check(append(log, "", "z") == head + 1,
	    "busy: the same call works a little later");
	log_close(reader);
	log_close(log);
}
int
main(void)
{
	if (!begin())
		return 0;
	check_create();
	check_identity();
	check_refusals();
	check_changes();
	check_append();
	check_limits();
	check_names();
	check_keys();
	check_full();
	check_busy();
	return end();
}
