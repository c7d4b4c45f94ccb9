/*
 * gap: what a client has missed, and what it knows of.
 */
#include "logs.h"

#include "lib/log/gap.h"
#include "lib/log/seek.h"

static struct filter *all;

/* Rows 1 to n, all of one topic. */
static struct log *
log_of(int n)
{
	struct log *log = new_log();

	for (int i = 0; i < n; i++)
		(void)append(log, i % 2 == 0 ? "a" : "b", "data");
	return log;
}

/* The highest id that it is told of. */
static int64_t
gap(struct log *log, const struct filter *f, int64_t cursor,
    struct gap_known *known)
{
	int64_t next = -1;

	if (gap_find(log, f, cursor, known, &next) != LOG_OK)
		return -1;
	return next == 0 ? 0 : known->upto;
}

static void
check_told(void)
{
	struct log *log = log_of(6);
	struct gap_known known = { 0 };

	check(gap(log, all, 0, &known) == 0, "nothing is gone");
	sql("DELETE FROM events WHERE id IN (2, 4);");
	check(gap(log, all, 4, &known) == 0, "nothing behind the cursor");
	check(gap(log, all, 1, &known) == 4, "the highest that is gone");
	check(gap(log, all, 1, &known) == 0, "is told once");
	sql("DELETE FROM events WHERE id = 3;");
	check(gap(log, all, 1, &known) == 0, "what lies in it was told, too");
	sql("DELETE FROM events WHERE id = 5;");
	check(gap(log, all, 1, &known) == 5, "what lies behind it was not");
	log_close(log);
}

/* Who begins with what is kept does not miss what was gone before. */
static void
check_before(enum start start)
{
	struct log *log = log_of(8);
	struct seek seek = { .start = start, .value = 100 };
	enum seek_result result;

	sql("DELETE FROM events WHERE id = 6;");
	do
		result = seek_step(log, 8, all, &seek);
	while (result == SEEK_AGAIN);
	check(result == SEEK_FOUND && seek.cursor == 0, "it begins");
	check(gap(log, all, 0, &seek.known) == 0, "6 was gone already");
	sql("DELETE FROM events WHERE id = 3;");
	check(gap(log, all, 0, &seek.known) == 6,
	    "but 3 has gone since, though it lies before 6");
	check(gap(log, all, 0, &seek.known) == 0, "that is told once");
	sql("DELETE FROM events WHERE id = 7;");
	check(gap(log, all, 0, &seek.known) == 7, "and 7 is news");
	log_close(log);
}

static void
check_topics(void)
{
	const struct pattern p = { TEXT("a"), false };
	struct filter *f = filter_new(&p, 1, NULL, 0);
	struct log *log = log_of(8);
	struct seek seek = { .start = START_EARLIEST };

	if (f == NULL)
		abort();
	sql("DELETE FROM events WHERE id = 6;");
	check(seek_step(log, 8, f, &seek) == SEEK_FOUND, "one topic");
	sql("DELETE FROM events WHERE id = 2;");
	check(gap(log, f, 0, &seek.known) == 0, "of another some have gone");
	sql("DELETE FROM events WHERE id = 3;");
	check(gap(log, f, 0, &seek.known) == 3, "of this one, too");
	check(gap(log, f, 2, &(struct gap_known){ 0 }) == 3,
	    "the row after the cursor is a gap");
	check(gap(log, f, 3, &(struct gap_known){ 0 }) == 0,
	    "the row at the cursor is none");
	filter_free(f);
	log_close(log);
}

/* Of removed rows whose topic is forgotten, any may have been of ours. */
static void
check_forgotten(bool is_prefix)
{
	const struct pattern p = { TEXT("x"), is_prefix };
	struct filter *f = filter_new(&p, 1, NULL, 0);
	struct log *log = log_of(8);

	if (f == NULL)
		abort();
	sql("DELETE FROM events WHERE id = 6;"
	    " UPDATE events_log SET forgotten = 4;");
	check(gap(log, f, 3, &(struct gap_known){ 0 }) == 4,
	    "a forgotten topic may be of a %s", is_prefix ? "prefix" : "topic");
	check(gap(log, f, 4, &(struct gap_known){ 0 }) == 0,
	    "rows up to the cursor are none");
	filter_free(f);
	log_close(log);
}

/* A scan that takes too long ends in a gap, as if all topics were ours. */
static void
check_many_topics(void)
{
	const struct pattern p = { TEXT("x"), true };
	struct filter *f = filter_new(&p, 1, NULL, 0);
	struct log *log = log_of(0);

	if (f == NULL)
		abort();
	sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 10001)"
	    " INSERT INTO events(topic, data) SELECT i, '' FROM n;"
	    " DELETE FROM events WHERE id > 1;");
	check(gap(log, f, 0, &(struct gap_known){ 0 }) == 0,
	    "10,000 removed topics are compared");
	sql("DELETE FROM events WHERE id = 1;");
	check(gap(log, f, 0, &(struct gap_known){ 0 }) == 1,
	    "with one more, the first is a gap without comparison");
	filter_free(f);
	log_close(log);
}

/* Rows of other topics are left out by index, not read and compared. */
static void
check_last_of_topic(void)
{
	const struct pattern p = { TEXT("a"), false };
	struct filter *f = filter_new(&p, 1, NULL, 0);
	struct log *log = log_of(1);
	struct seek seek = { .start = START_LAST, .value = 1 };

	if (f == NULL)
		abort();
	sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 3000)"
	    " INSERT INTO events(topic, data) SELECT 'b', '' FROM n;");
	check(seek_step(log, 3001, f, &seek) != SEEK_BEYOND &&
		seek.value == 0 && seek.cursor == 0,
	    "one step finds the last of a topic, before 3,000 of another");
	filter_free(f);
	log_close(log);
}

/* Rows of other names are read and compared. */
static void
check_last_of_name(void)
{
	const struct text name = TEXT("tick");
	struct filter *f = filter_new(NULL, 0, &name, 1);
	struct log *log = log_of(0);
	struct seek seek = { .start = START_LAST, .value = 1 };

	if (f == NULL)
		abort();
	sql("INSERT INTO events(event, data) VALUES('tick', ''),"
	    " ('tick', ''), ('tock', '');");
	check(seek_step(log, 3, f, &seek) == SEEK_FOUND && seek.cursor == 1,
	    "the last of a name, before one of another");
	filter_free(f);
	log_close(log);
}

/* A stream may not begin after rows that the source has not read yet. */
static void
check_since_unread(void)
{
	struct log *log = log_of(3);
	struct seek seek = { .start = START_SINCE, .value = INT64_MAX };

	check(seek_step(log, 2, all, &seek) == SEEK_FOUND && seek.cursor == 2,
	    "a time to come is the head, whatever follows it");
	log_close(log);
}

int
main(void)
{
	if (!begin())
		return 0;
	all = filter_new(NULL, 0, NULL, 0);
	if (all == NULL)
		abort();
	check_told();
	check_before(START_EARLIEST);
	check_before(START_LAST);
	check_topics();
	check_forgotten(false);
	check_forgotten(true);
	check_many_topics();
	check_last_of_topic();
	check_last_of_name();
	check_since_unread();
	filter_free(all);
	return end();
}
