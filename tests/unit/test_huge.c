/*
 * huge: events whose data is read in parts.  Memory of SQLite shows how much is
 * read at once.
 */
#include "hubs.h"

#include <sqlite3.h>

#include "lib/sse.h"

#define HUGE_LEN (6 * LOG_HUGE_BYTES)
#define MEMORY_MAX (3 * LOG_HUGE_BYTES)
#define REPLAY_BYTES (4 * LOG_HUGE_BYTES)
#define KEEP (9 * (size_t)LOG_HUGE_BYTES)

static struct client a, b;

/* ---- the log ---- */

struct seen {
	struct log *log;
	size_t n;
	char text[200];
	size_t len;
};

static struct seen seen;

static bool
on_row(void *cookie, const struct event *e)
{
	struct seen *s = cookie;
	char part[8] = "";
	size_t len = sizeof(part) - 1;

	if (e->huge_len > 0 &&
	    log_read_part(s->log, e->id, e->huge_len - 3, part, &len) != LOG_OK)
		return false;
	if (e->huge_len == 0)
		(void)snprintf(part, sizeof(part), "%.*s", (int)e->data.len,
		    e->data.bytes);
	s->n++;
	if (e->topic.len > 10 || s->len >= sizeof(s->text))
		return true;
	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len,
	    " %d:%.*s:%.*s:%d:%d:%s", (int)e->id, (int)e->topic.len,
	    e->topic.bytes, (int)e->name.len, e->name.bytes, (int)e->retry_ms,
	    (int)e->huge_len, part);
	return true;
}

/* Read a range to its end; returns "" after an error. */
static const char *
rows_of(struct log *log, const struct filter *f)
{
	struct log_range range = { .upto = 100,
		.max_rows = LOG_PAGE_ROWS,
		.filter = f };
	int64_t reached = 0;

	seen = (struct seen){ .log = log };
	while (range.after < range.upto) {
		if (log_read(log, &range, on_row, &seen, &reached) != LOG_OK ||
		    reached == range.after)
			return "";
		range.after = reached;
	}
	return seen.text;
}

static struct log *
open_parts(void)
{
	const struct log_options o = { .path = path, .parts = true };
	struct log *log;

	if (log_open(&o, &log, why) != LOG_OK)
		abort();
	return log;
}

static void
check_rows(void)
{
	const struct pattern topics[] = { { TEXT("a"), false },
		{ TEXT("b"), false } };
	struct filter *f = filter_new(topics, 2, NULL, 0);
	struct log *log;

	log_close(new_log());
	sql("INSERT INTO events(topic, event, data, retry_ms) VALUES"
	    " ('a', 'e', 'one', 7),"
	    " ('b', 'f', printf('%.*c', 1048576, 'x'), 8),"
	    " ('a', 'e', printf('%.*c', 1048574, 'x') || 'end', 9),"
	    " ('c', 'g', printf('%.*c', 3000000, 'x') || 'end', NULL),"
	    " ('b', 'f', 'last', 11);");
	log = open_parts();
	check(strcmp(rows_of(log, NULL),
		  " 1:a:e:7:0:one 2:b:f:8:0:xxxxxxx 3:a:e:9:1048577:end"
		  " 4:c:g:-1:3000003:end 5:b:f:11:0:last") == 0,
	    "data is left in the log from one byte beyond the limit");
	check(strcmp(rows_of(log, f),
		  " 1:a:e:7:0:one 2:b:f:8:0:xxxxxxx 3:a:e:9:1048577:end"
		  " 5:b:f:11:0:last") == 0,
	    "also where SQLite reads ahead in each topic");
	filter_free(f);
	log_close(log);
}

/* While the next event of one topic is huge, those of another that precede it
   are read as many at a time as ever. */
static void
check_rows_before(void)
{
	const struct pattern topics[] = { { TEXT("a"), false },
		{ TEXT("b"), false } };
	struct filter *f = filter_new(topics, 2, NULL, 0);
	struct log_range range = { .upto = 1000,
		.max_rows = LOG_PAGE_ROWS,
		.filter = f };
	struct log *log;
	int64_t reached;

	log_close(new_log());
	sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 500) INSERT INTO events(topic, data)"
	    " SELECT 'a', i FROM n;"
	    "INSERT INTO events(topic, data) VALUES"
	    " ('b', printf('%.*c', 2000000, 'x')), ('a', 'x');");
	log = open_parts();
	seen = (struct seen){ .log = log, .len = sizeof(seen.text) };
	check(log_read(log, &range, on_row, &seen, &reached) == LOG_OK &&
		seen.n == 500 && reached == 500,
	    "all rows before the huge one come at once");
	range.after = reached;
	check(log_read(log, &range, on_row, &seen, &reached) == LOG_OK &&
		seen.n == 501 && reached == 501,
	    "then the huge one");
	filter_free(f);
	log_close(log);
}

/* Rows that only a bypassed schema lets in, and other encodings. */
static void
check_odd_rows(void)
{
	struct log *log;
	char byte;
	size_t len;

	log_close(new_log());
	sql("PRAGMA ignore_check_constraints = ON;"
	    " INSERT INTO events(topic, data) VALUES"
	    " ('x', printf('%.*c', 2000000, 'y')),"
	    " (printf('%.*c', 2000000, 'x'), 'y');"
	    " INSERT INTO events(topic, data) VALUES('z', 'z');");
	log = open_parts();
	(void)rows_of(log, NULL);
	check(seen.n == 3, "a topic may be longer than any data");
	len = 1;
	check(log_read_part(log, 9, 0, &byte, &len) == LOG_OK && len == 0,
	    "of a row that is gone there are no bytes");
	len = 1;
	check(log_read_part(log, 1, 2000000, &byte, &len) == LOG_OK && len == 0,
	    "nor behind the end of the data");
	log_close(log);
}

static void
check_utf16(void)
{
	struct log *log;

	new_path();
	sql("PRAGMA encoding = 'UTF-16'; CREATE TABLE app(x);");
	if (system("command -v sqlite3 >/dev/null") != 0)
		abort();
	{
		char command[160];

		(void)snprintf(command, sizeof(command),
		    "sqlite3 -bail '%s' <sql/schema.sql >/dev/null", path);
		if (system(command) != 0)
			abort();
	}
	sql("INSERT INTO events(topic, event, data)"
	    " VALUES('a', 'e', printf('%.*c', 2000000, 'x'));");
	log = open_parts();
	check(strcmp(rows_of(log, NULL), " 1:a:e:-1:0:xxxxxxx") == 0,
	    "a log in UTF-16 is read whole");
	log_close(log);
}

/* ---- streams ---- */

/* What a client got, without the headers of records. */
static struct text
content(const struct client *c)
{
	size_t at = 0, len = 0;
	char *out = malloc(c->keep);

	if (out == NULL || c->got > c->keep)
		abort();
	while (at + 8 <= c->got) {
		const uint8_t *h = (const uint8_t *)c->bytes + at;
		size_t n = (size_t)(h[4] << 8 | h[5]);

		at += 8;
		if (n > c->got - at)
			n = c->got - at;
		if (h[1] == STDOUT) {
			memcpy(out + len, c->bytes + at, n);
			len += n;
		}
		at += n + h[6];
	}
	return (struct text){ out, len };
}

/* Data of all kinds of lines, which begins with a letter of its own. */
static struct text
lines(char letter)
{
	static const char *const some[] = { "\r\n", "\r", "\n", "x", "\n\r",
		"0123456789 abcdef", "" };
	char *out = malloc(HUGE_LEN);

	if (out == NULL)
		abort();
	out[0] = letter;
	for (size_t len = 1; len < HUGE_LEN;) {
		const char *s = some[tap_random(7)];
		size_t n = *s != '\0' ? strlen(s) : tap_random(300);

		if (n > HUGE_LEN - len)
			n = HUGE_LEN - len;
		if (*s != '\0')
			memcpy(out + len, s, n);
		else
			memset(out + len, letter, n);
		len += n;
	}
	/* a line end across two parts */
	out[LOG_HUGE_BYTES - 2] = 'x';
	out[LOG_HUGE_BYTES - 1] = '\r';
	out[LOG_HUGE_BYTES] = '\n';
	return (struct text){ out, HUGE_LEN };
}

static void
add_rows(struct log *log, const struct text data[2])
{
	struct event events[] = { tap_event(0, TEXT("a"), TEXT("e"), data[0]),
		tap_event(0, TEXT("b"), TEXT("message"), data[1]),
		tap_event(0, TEXT("b"), TEXT("message"), TEXT("after")) };
	struct log_receipt receipts[3];
	size_t culprit;

	events[0].retry_ms = 5;
	if (log == NULL ||
	    log_append(log, events, 3, receipts, &culprit) != LOG_OK)
		abort();
	log_close(log);
}

/* Has the client got this event, and does this text follow it? */
static bool
got_event(const struct client *c, struct event *e, int64_t id, const char *next)
{
	struct text got = content(c), whole;
	const char *begin;
	bool is_good;

	e->id = id;
	whole.len = sse_len(e);
	whole.bytes = malloc(whole.len);
	if (whole.bytes == NULL)
		abort();
	(void)sse_encode(e, (char *)(uintptr_t)whole.bytes);
	begin = memmem(got.bytes, got.len, whole.bytes, whole.len);
	is_good = begin != NULL &&
	    memmem(begin + whole.len,
		(size_t)(got.bytes + got.len - begin) - whole.len, next,
		strlen(next)) == begin + whole.len;
	tap_free_text(whole);
	tap_free_text(got);
	return is_good;
}

/* Until a client has got the last event. */
static void
read_until_after(const struct client *c)
{
	int rounds = 0;

	do {
		go_round();
		(void)receive(&a);
		(void)receive(&b);
	} while ((rounds % 100 > 0 || !has(c, TEXT("data: after"))) &&
	    rounds++ < ROUNDS_MAX);
}

/* Two clients at two huge events, turn by turn. */
static void
check_two(void)
{
	const struct text data[2] = { lines('a'), lines('b') };
	struct event one = tap_event(1, TEXT("a"), TEXT("e"), data[0]);
	struct event two = tap_event(2, TEXT("b"), TEXT("message"), data[1]);

	one.retry_ms = 5;
	add_rows(new_log(), data);
	start(REPLAY_BYTES);
	(void)sqlite3_memory_highwater(1);
	ask(&a, "topic=a&topic=z", 0, KEEP);
	ask(&b, "", 1, KEEP);
	read_until_after(&b);
	for (int i = 0; i < 3000; i++) {
		go_round();
		(void)receive(&a);
	}
	check(got_event(&a, &one, 1, ""), "the first gets its event");
	check(got_event(&b, &two, 2, "id: 3\ndata: after\n\n"),
	    "the second gets its own, and what follows");
	check(sqlite3_memory_highwater(0) < MEMORY_MAX,
	    "of %d bytes each, so much was in memory at once: %d", HUGE_LEN,
	    (int)sqlite3_memory_highwater(0));
	check(source_rows(source) < 40, "in few reads: %d",
	    (int)source_rows(source));
	stop();
	leave(&a);
	leave(&b);
	tap_free_text(data[0]);
	tap_free_text(data[1]);
}

static void
check_live(void)
{
	const struct text data[2] = { lines('a'), lines('b') };
	struct event two = tap_event(2, TEXT("b"), TEXT("message"), data[1]);

	log_close(new_log());
	start(REPLAY_BYTES);
	ask(&a, "topic=other", -1, KEEP);
	ask(&b, "topic=b", -1, KEEP);
	(void)rounds_until_served(&a);
	(void)rounds_until_served(&b);
	for (int i = 0; i < 10; i++)
		go_round();
	add_rows(open_log(false, true), data);
	sql("INSERT INTO events(topic, data) VALUES('other', 'other');");
	(void)sqlite3_memory_highwater(1);
	(void)hub_look(hub);
	check(source_head(source) == 4 && receive(&a) &&
		has(&a, TEXT("id: 4\ndata: other\n\n")),
	    "huge events do not hold up a live stream of another topic");
	read_until_after(&b);
	check(got_event(&b, &two, 2, "id: 3\ndata: after\n\n"),
	    "a live stream gets the one it asks for, and what follows");
	check(sqlite3_memory_highwater(0) < MEMORY_MAX,
	    "so much was in memory at once: %d",
	    (int)sqlite3_memory_highwater(0));
	stop();
	leave(&a);
	leave(&b);
	tap_free_text(data[0]);
	tap_free_text(data[1]);
}

/* Change the row while a client is in the middle of it. */
static void
check_torn(const char *change, const char *name)
{
	const struct text data[2] = { lines('a'), lines('b') };
	int rounds = 0;

	add_rows(new_log(), data);
	start(REPLAY_BYTES);
	ask(&a, "", 0, KEEP);
	while (a.got < 2 * LOG_HUGE_BYTES && rounds++ < ROUNDS_MAX) {
		go_round();
		(void)receive(&a);
	}
	sql(change);
	(void)hub_look(hub);
	for (int i = 0; i < 3000; i++) {
		go_round();
		(void)receive(&a);
	}
	check(a.got < 5 * LOG_HUGE_BYTES && !has(&a, TEXT("data: after")) &&
		recv(a.fd, a.bytes, 1, MSG_DONTWAIT) == 0,
	    "%s in mid-event: the stream ends", name);
	stop();
	leave(&a);
	tap_free_text(data[0]);
	tap_free_text(data[1]);
}

int
main(void)
{
	if (!begin())
		return 0;
	if (libfcgi_init() != 0)
		abort();
	tap_seed();
	check_rows();
	check_rows_before();
	check_odd_rows();
	check_utf16();
	check_two();
	check_live();
	check_torn("DELETE FROM events WHERE id = 1;", "removed");
	check_torn("DROP TRIGGER events_never_change; UPDATE events"
		   " SET data = substr(data, 2) WHERE id = 1;",
	    "changed");
	check_torn("DROP TRIGGER events_never_change; UPDATE events"
		   " SET data = 'small' WHERE id = 1;",
	    "made small");
	return end();
}
