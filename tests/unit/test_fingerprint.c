/*
 * fingerprint: is it still the same log?
 */
#include "logs.h"

#include "lib/log/fingerprint.h"

static bool
is_same(const struct fingerprint *f, struct log *log)
{
	bool same;

	if (fingerprint_check(f, log, &same) != LOG_OK)
		abort();
	return same;
}

static void
check_rows(void)
{
	struct log *log = new_log();
	struct fingerprint f;

	fingerprint_take(&f, log);
	check(is_same(&f, log), "a log is the same as itself");
	if (append(log, "t", "a") != 1 || append(log, "t", "b") != 2 ||
	    fingerprint_note(&f, log, 2) != LOG_OK)
		abort();
	check(is_same(&f, log), "with the row that was noted");
	sql("DELETE FROM events WHERE id = 2;");
	check(is_same(&f, log), "and after that row was removed");
	check(fingerprint_note(&f, log, 2) == LOG_OK && f.id == 1 &&
		is_same(&f, log),
	    "a removed row is not noted, but the one before it");
	if (append(log, "t", "c") != 3 ||
	    fingerprint_note(&f, log, 3) != LOG_OK)
		abort();
	f.created_ms--;
	check(!is_same(&f, log), "not with another row of that id");
	check(!is_same(&f, log), "which stays so, however often it is asked");
	fingerprint_take(&f, log);
	check(f.id == 0 && is_same(&f, log), "taken anew, it has no row");
	log_close(log);
}

static void
check_identity(void)
{
	struct log *log = new_log();
	struct fingerprint f;

	fingerprint_take(&f, log);
	sql("UPDATE events_log SET identity = 'another';");
	check(!is_same(&f, log), "a log of another identity is another one");
	check(!is_same(&f, log), "which stays so, however often it is asked");
	fingerprint_take(&f, log);
	check(strcmp(f.identity, "another") == 0 && is_same(&f, log),
	    "until its fingerprint is taken");
	log_close(log);
}

static void
check_trouble(void)
{
	struct log *log = new_log();
	struct fingerprint f;
	bool same;

	fingerprint_take(&f, log);
	sql("UPDATE events_log SET identity = printf('%.*c', 256, 'x');");
	check(fingerprint_check(&f, log, &same) == LOG_NOT_A_LOG,
	    "an identity that cannot be read is an error");
	log_close(log);
}

int
main(void)
{
	if (!begin())
		return 0;
	check_rows();
	check_identity();
	check_trouble();
	return end();
}
