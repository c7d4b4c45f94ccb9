/*
 * log: reading in pages, bounds and what was removed.
 */
#include "logs.h"

#define ROWS_MAX 400

struct row {
	int64_t id;
	int64_t created_ms;
	char topic[8];
	bool is_there;
};

/* What was read: ids, and how many to take. */
struct seen {
	const struct row *rows;
	int64_t ids[ROWS_MAX];
	size_t n, take;
	bool is_good;
	bool is_back;
};

static bool
on_row(void *cookie, const struct event *e)
{
	struct seen *s = cookie;
	char data[32];

	if (s->n == s->take)
		return false;
	(void)snprintf(data, sizeof(data), "data-%d", (int)e->id);
	s->ids[s->n++] = e->id;
	s->is_good = s->is_good && text_equal(e->name, TEXT("name")) &&
	    (s->is_back ? e->data.bytes == NULL :
			  text_equal(e->data, text_of(data))) &&
	    e->retry_ms ==
		(s->is_back || e->id % 3 == 0 ? EVENT_NO_RETRY : e->id) &&
	    e->key.bytes == NULL;
	if (s->rows != NULL) {
		const char *topic = s->rows[e->id].topic;

		s->is_good = s->is_good && text_equal(e->topic, text_of(topic));
	}
	return true;
}

static const char *const topics[] = { "", "a", "b", "ab", "a*" };

/*
 * A log with holes, removed rows, several topics and growing times; rows[id]
 * says what is there.  Returns its head.
 */
static int64_t
random_log(struct row rows[ROWS_MAX + 1])
{
	static char text[ROWS_MAX * 160];
	int64_t id = 0, ms = 1000, head = 0;
	size_t len = 0, n = tap_random(60);

	memset(rows, 0, sizeof(*rows) * (ROWS_MAX + 1));
	len = (size_t)snprintf(text, sizeof(text), "BEGIN;\n");
	while (n-- > 0 && id + 5 < ROWS_MAX) {
		char retry[24] = "NULL";

		id += 1 + (int64_t)(tap_random(3) ? 0 : tap_random(5));
		ms += (int64_t)(tap_random(2) * tap_random(50));
		rows[id] = (struct row){ .id = id, .created_ms = ms };
		(void)snprintf(rows[id].topic, sizeof(rows[id].topic), "%s",
		    topics[tap_random(5)]);
		rows[id].is_there = tap_random(6) > 0;
		if (id % 3 != 0)
			(void)snprintf(retry, sizeof(retry), "%d", (int)id);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "INSERT INTO events(id,topic,event,data,retry_ms,"
		    "created_ms)VALUES(%d,'%s','name','data-%d',%s,%d);\n",
		    (int)id, rows[id].topic, (int)id, retry, (int)ms);
		head = id;
	}
	for (id = 1; id <= head; id++)
		if (rows[id].id != 0 && !rows[id].is_there)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "DELETE FROM events WHERE id=%d;\n", (int)id);
	(void)snprintf(text + len, sizeof(text) - len, "COMMIT;\n");
	sql(text);
	return head;
}

static bool
is_in(const struct row *r, const struct log_range *range)
{
	if (!r->is_there || r->id <= range->after || r->id > range->upto)
		return false;
	return range->filter == NULL ||
	    filter_has_topic(range->filter, text_of(r->topic));
}

/* A filter of up to 5 whole topics; NULL, for all, as often as not. */
static struct filter *
random_filter(void)
{
	size_t n = tap_random(2) * tap_random(6), first = tap_random(5);
	struct pattern patterns[5];
	struct filter *f;

	if (n == 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		patterns[i] =
		    (struct pattern){ text_of(topics[(first + i) % 5]), false };
	f = filter_new(patterns, n, NULL, 0);
	if (f == NULL)
		abort();
	return f;
}

/* One random page, forwards or back, against the rows. */
static bool
reads_a_page(struct log *log, const struct row *rows, bool is_back)
{
	struct filter *f = random_filter();
	struct seen s = { .rows = rows,
		.take = tap_random(2) ? SIZE_MAX : tap_random(30),
		.is_good = true,
		.is_back = is_back };
	struct log_range range = {
		.after = (int64_t)tap_random(100),
		.max_rows = tap_random(2) ? 1000 : 1 + tap_random(20),
		.filter = f,
		.is_back = is_back,
	};
	int64_t expected[ROWS_MAX], reached = -1, exhausted, last;
	size_t n = 0, k;
	enum log_result result;

	range.upto = tap_random(4) == 0 && !is_back ?
	    INT64_MAX :
	    range.after + (int64_t)tap_random(200);
	for (int64_t i = 0; i <= ROWS_MAX; i++)
		if (is_in(&rows[is_back ? ROWS_MAX - i : i], &range))
			expected[n++] = is_back ? ROWS_MAX - i : i;
	result = log_read(log, &range, on_row, &s, &reached);
	filter_free(f);
	k = s.take < range.max_rows ? s.take : range.max_rows;
	k = n < k ? n : k;
	if (result != LOG_OK || !s.is_good || s.n != k ||
	    (k > 0 && memcmp(s.ids, expected, k * sizeof(s.ids[0])) != 0))
		return false;
	/* all that was taken, or all there is; no claim beyond it */
	exhausted = is_back ? range.after : range.upto;
	last = k > 0 ? expected[k - 1] - is_back :
	    is_back  ? range.upto :
		       range.after;
	if (k < n || k == range.max_rows)
		return reached == last || (k == n && reached == exhausted);
	return reached == exhausted;
}

/* Pages one after the other give every row once. */
static bool
reads_all_pages(struct log *log, const struct row *rows, int64_t head)
{
	struct seen s = { .rows = rows, .take = SIZE_MAX, .is_good = true };
	struct log_range range = { .upto = head,
		.max_rows = 1 + tap_random(9) };
	size_t n = 0;

	while (range.after < range.upto)
		if (log_read(log, &range, on_row, &s, &range.after) != LOG_OK)
			return false;
	for (int64_t id = 0; id <= ROWS_MAX; id++)
		if (rows[id].is_there && (n >= s.n || s.ids[n++] != id))
			return false;
	return s.is_good && n == s.n;
}

/* All after it are new enough, all up to it are too old. */
static bool
is_before_time(const struct row *rows, int64_t ms, int64_t after)
{
	bool is_first = true;

	for (int64_t id = 0; id <= ROWS_MAX; id++) {
		if (!rows[id].is_there)
			continue;
		if ((rows[id].created_ms < ms) != (id <= after))
			return false;
		if (is_first && rows[id].created_ms >= ms && after != 0)
			return false;
		is_first = false;
	}
	return true;
}

static bool
finds_bounds(struct log *log, const struct row *rows, int64_t head)
{
	int64_t at = (int64_t)tap_random(ROWS_MAX), next = 0, oldest = 0;
	int64_t value = -1, after = -1, ms = 990 + (int64_t)tap_random(1600);

	for (int64_t id = ROWS_MAX; id > 0; id--) {
		oldest = rows[id].is_there ? id : oldest;
		next = rows[id].is_there && id > at ? id : next;
	}
	if (log_head(log, &value) != LOG_OK || value != head ||
	    log_oldest(log, &value) != LOG_OK || value != oldest ||
	    log_next(log, at, &value) != LOG_OK)
		return false;
	if (next == 0) /* beyond the head: still beyond the cursor */
		next = (head > at ? head : at) + 1;
	return value == next && log_before_time(log, ms, &after) == LOG_OK &&
	    is_before_time(rows, ms, after);
}

struct removed {
	char topics[8][8];
	int64_t ids[8];
	size_t n, take;
};

static bool
on_removed(void *cookie, const struct event *e)
{
	struct removed *r = cookie;

	if (r->n == 8)
		abort();
	(void)snprintf(r->topics[r->n], 8, "%.*s", (int)e->topic.len,
	    e->topic.bytes);
	r->ids[r->n++] = e->id;
	return r->n != r->take;
}

static bool
finds_removed(struct log *log, const struct row *rows)
{
	int64_t after = (int64_t)tap_random(100), count = -1, highest = -1;
	int64_t expected[8] = { 0 }, n_removed = 0, top = 0;
	struct removed r = { .take = tap_random(2) ? 100 : 1 + tap_random(5) };
	size_t n = 0;

	for (int64_t id = ROWS_MAX; id > 0; id--) {
		bool is_new = rows[id].id != 0 && !rows[id].is_there;

		n_removed += is_new;
		top = is_new && id > top ? id : top;
		for (int64_t k = id + 1; k <= ROWS_MAX && is_new; k++)
			is_new = rows[k].id == 0 || rows[k].is_there ||
			    strcmp(rows[k].topic, rows[id].topic) != 0;
		if (is_new && id > after)
			expected[n++] = id;
	}
	if (log_removed(log, after, on_removed, &r) != LOG_OK ||
	    r.n != (n < r.take ? n : r.take) ||
	    log_removals(log, &count, &highest) != LOG_OK ||
	    count != n_removed || highest != top)
		return false;
	for (size_t i = 0; i < r.n; i++)
		if (r.ids[i] != expected[i] ||
		    strcmp(r.topics[i], rows[r.ids[i]].topic) != 0)
			return false;
	return true;
}

static void
check_random_logs(void)
{
	static struct row rows[ROWS_MAX + 1];
	bool forwards = true, back = true, all = true, bounds = true;
	bool removed = true;

	for (int i = 0; i < 60; i++) {
		struct log *writer = new_log();
		struct log *log = open_log(false, false);
		int64_t head = random_log(rows);

		if (log == NULL)
			abort();
		for (int k = 0; k < 200; k++) {
			forwards = forwards && reads_a_page(log, rows, false);
			back = back && reads_a_page(log, rows, true);
			all = all && reads_all_pages(log, rows, head);
			bounds = bounds && finds_bounds(log, rows, head);
			removed = removed && finds_removed(log, rows);
		}
		log_close(log);
		log_close(writer);
	}
	check(forwards, "random logs: pages forwards, with topics and limits");
	check(back, "random logs: pages back, without data");
	check(all, "random logs: page by page, every row once");
	check(bounds, "random logs: head, oldest, next, before a time");
	check(removed, "random logs: what was removed, by topic");
}

static void
check_empty(void)
{
	struct log *log = new_log();
	struct log_range range = { .upto = INT64_MAX, .max_rows = 10 };
	struct removed r = { .take = 1 };
	struct seen s = { .take = 10, .is_good = true };
	int64_t value = -1, other = -1;

	check(log_read(log, &range, on_row, &s, &value) == LOG_OK && s.n == 0 &&
		value == INT64_MAX,
	    "an empty log: nothing to read, all of it reached");
	check(log_oldest(log, &value) == LOG_OK && value == 0,
	    "an empty log: no oldest row");
	check(log_next(log, 0, &value) == LOG_OK && value == 1,
	    "an empty log: the next id is 1");
	check(log_before_time(log, 5, &value) == LOG_OK && value == 0,
	    "an empty log: all times begin at 0");
	check(log_removed(log, 0, on_removed, &r) == LOG_OK && r.n == 0 &&
		log_removals(log, &value, &other) == LOG_OK && value == 0 &&
		other == 0,
	    "an empty log: nothing removed");
	range.max_rows = 0;
	check(append(log, "", "x") == 1 &&
		log_read(log, &range, on_row, &s, &value) == LOG_OK &&
		s.n == 0 && value == 0,
	    "no rows wanted: none reached");
	log_close(log);
}

static void
check_emptied(void)
{
	struct log *log = new_log();
	int64_t value = -1;

	for (int i = 0; i < 5; i++)
		(void)append(log, "", "x");
	sql("DELETE FROM events;");
	check(log_head(log, &value) == LOG_OK && value == 5,
	    "all removed: the head stays");
	check(log_next(log, 2, &value) == LOG_OK && value == 6,
	    "all removed: what comes next is behind the head");
	check(append(log, "", "x") == 6, "all removed: ids do not come back");
	log_close(log);
}

static void
check_set_back(void)
{
	struct log *log = new_log();
	int64_t value = -1;

	for (int i = 0; i < 3; i++)
		(void)append(log, "", "x");
	sql("UPDATE sqlite_sequence SET seq = 0;");
	check(log_head(log, &value) == LOG_OK && value == 3,
	    "the sequence set back: the head is the last row");
	sql("DELETE FROM sqlite_sequence;");
	check(log_head(log, &value) == LOG_OK && value == 3,
	    "the sequence gone: likewise");
	check(append(log, "", "x") == 4 && log_head(log, &value) == LOG_OK &&
		value == 4,
	    "the next row comes behind it");
	log_close(log);
}

static bool
ends(void *cookie, const struct event *e)
{
	(void)e;
	return *(int *)cookie > 1;
}

/* A reading that ends early must not keep checkpoints from their work. */
static void
check_no_transaction(void)
{
	struct log *log = new_log();
	const struct log_range range = { .upto = INT64_MAX, .max_rows = 10 };
	char command[128];
	int64_t reached = -1;
	int zero = 0;

	(void)append(log, "", "x");
	(void)append(log, "", "x");
	check(log_read(log, &range, ends, &zero, &reached) == LOG_OK &&
		reached == 0,
	    "a row that is not taken is not reached");
	(void)snprintf(command, sizeof(command),
	    "sqlite3 '%s' 'PRAGMA wal_checkpoint(TRUNCATE)' | grep -q ^0",
	    path);
	check(system(command) == 0,
	    "a reading that ended early stops no checkpoint");
	log_close(log);
}

static bool
on_forgotten(void *cookie, const struct event *e)
{
	int64_t *ids = cookie;

	ids[e->topic.bytes == NULL] = e->id;
	return true;
}

/* The topics of what went long ago. */
static void
check_forgotten(void)
{
	struct log *log = new_log();
	int64_t ids[2] = { 0, 0 }, count = 0, highest = 0, a = 0, c = 0;

	sql("INSERT INTO events(id, topic, data) VALUES(1, 'a', ''),"
	    "(100001, 'a', ''), (100002, 'b', '');"
	    "DELETE FROM events WHERE id <= 100001;");
	check(log_removed(log, 0, on_forgotten, ids) == LOG_OK &&
		ids[0] == 100001 && ids[1] == 0,
	    "100,000 ids later, a topic is known");
	sql("DELETE FROM events; INSERT INTO events(id, topic, data)"
	    " VALUES(200002, 'b', ''); DELETE FROM events;");
	check(log_removed(log, 0, on_forgotten, ids) == LOG_OK &&
		ids[0] == 200002 && ids[1] == 100001,
	    "then it is forgotten, but not that something went");
	check(log_removed_of(log, TEXT("a"), &a) == LOG_OK && a == 100001 &&
		log_removed_of(log, TEXT("c"), &c) == LOG_OK && c == 100001,
	    "which may have been of any topic");
	check(log_removals(log, &count, &highest) == LOG_OK && count == 4 &&
		highest == 200002,
	    "and is counted");
	log_close(log);
}

static bool
on_retry(void *cookie, const struct event *e)
{
	*(bool *)cookie = *(bool *)cookie &&
	    e->retry_ms == (e->id == 2 ? 86400000 : EVENT_NO_RETRY);
	return true;
}

/* Rows that the schema refuses, from somebody who had its checks ignored. */
static void
check_hostile(void)
{
	struct log *log = new_log();
	const struct log_range range = { .upto = INT64_MAX, .max_rows = 10 };
	const struct log_range last = { .upto = INT64_MAX,
		.max_rows = 1,
		.is_back = true };
	bool is_right = true;
	int64_t value = -1;

	sql("DROP TRIGGER events_in_order;"
	    "PRAGMA ignore_check_constraints = ON;"
	    "INSERT INTO events(id, data) VALUES(-5, ''), (0, '');"
	    "INSERT INTO events(data, retry_ms) VALUES('', -5),"
	    "('', 86400000), ('', 86400001), ('', -9223372036854775808),"
	    "('', 9223372036854775807);");
	check(log_oldest(log, &value) == LOG_OK && value == 1,
	    "ids below 1: none of them is the oldest");
	check(log_read(log, &range, on_retry, &is_right, &value) == LOG_OK &&
		is_right,
	    "retry_ms out of range counts as none");
	sql("PRAGMA ignore_check_constraints = ON;"
	    "INSERT INTO events(id, data, created_ms)"
	    "VALUES(9223372036854775806, '', 9e15),"
	    "(9223372036854775807, '', 9e15);");
	check(log_before_time(log, 9000000000000000, &value) == LOG_OK &&
		value == 5 &&
		log_before_time(log, 9000000000000001, &value) == LOG_OK &&
		value == INT64_MAX,
	    "up to the largest id there is: times are found");
	check(log_read(log, &last, on_retry, &is_right, &value) == LOG_OK &&
		value == INT64_MAX - 1,
	    "from the largest id there is: rows are read backwards");
	sql("DELETE FROM events;");
	check(log_next(log, 0, &value) == LOG_OK && value == INT64_MAX,
	    "behind the largest id there is: nothing overflows");
	log_close(log);
}

int
main(void)
{
	tap_seed();
	if (!begin())
		return 0;
	check_empty();
	check_emptied();
	check_set_back();
	check_no_transaction();
	check_hostile();
	check_forgotten();
	check_random_logs();
	return end();
}
