/*
 * Where reading begins and what has been missed, against a model: a log that is
 * a list of rows.
 *
 * The input makes a log with rows of several topics and times, and removes some
 * of them; then it asks from where a client with some filter is to be served,
 * with any start and a reader who may not have seen the end yet, and what that
 * client has missed.  Holds if seek and gap say what the list says.
 *
 * Options: -len_control=0 -max_len=400 -detect_leaks=0
 * Covers: lib/log/seek.c lib/log/gap.c lib/log/read.c
 */
#include "fuzz.h"

#include "lib/log/gap.h"
#include "lib/log/log.h"
#include "lib/log/seek.h"
#include "scratch.h"
#include "wish.h"

#define ROWS_MAX 48
#define ASKS_MAX 24
#define BULK_ROWS 1100      /* more than one page */
#define FORGET_IDS 100000   /* sql/schema.sql, events_removed */
#define TIME_MS 1000000000L /* of the first row */

struct row {
	struct event event;
	int64_t created_ms;
	bool is_removed;
};

struct list {
	struct row rows[ROWS_MAX + BULK_ROWS];
	size_t n;
	int64_t head;
	struct choices choices;
	struct log *log;
};

/* ---- the log ---- */

static void
insert(struct list *l, const struct row *r, size_t times)
{
	for (size_t i = 0; i < times; i++) {
		l->rows[l->n] = *r;
		l->rows[l->n].event.id += (int64_t)i;
		scratch_insert(&l->rows[l->n].event, r->created_ms);
		l->n++;
	}
	l->head = l->rows[l->n - 1].event.id;
}

static void
add_rows(struct list *l)
{
	struct choices *c = &l->choices;
	size_t n = choose(c, ROWS_MAX), bulk = choose(c, 256);
	int64_t id = 0, ms = TIME_MS;

	scratch_begin();
	for (size_t i = 0; i < n; i++) {
		struct row r = { 0 };
		uint8_t step = choose_byte(c);

		/* ids and times go on by one, or leap */
		id += step % 8 < 6 ? 1 : step % 8 == 6 ? 3 : FORGET_IDS + 1;
		ms += step / 8 % 4 * 700;
		r.created_ms = ms;
		r.event.id = id;
		r.event.retry_ms = EVENT_NO_RETRY;
		r.event.topic = choose_name(c);
		r.event.name = wish_names[1 + choose(c, 2)];
		insert(l, &r, i == bulk ? BULK_ROWS : 1);
		id = l->head;
	}
	scratch_commit();
}

static void
remove_rows(struct list *l)
{
	scratch_begin();
	for (size_t n = choose(&l->choices, 32); n > 0 && l->n > 0; n--) {
		size_t first = choose(&l->choices, ROWS_MAX) % l->n;
		size_t run = choose(&l->choices, 4);

		for (size_t i = first; i <= first + run && i < l->n; i++) {
			if (l->rows[i].is_removed)
				continue;
			l->rows[i].is_removed = true;
			scratch_remove(l->rows[i].event.id);
		}
	}
	scratch_commit();
}

/* ---- what the list says ---- */

static int64_t
highest_removed(const struct list *l)
{
	for (size_t i = l->n; i-- > 0;)
		if (l->rows[i].is_removed)
			return l->rows[i].event.id;
	return 0;
}

static void
expect_earliest(const struct list *l, int64_t head, const struct seek *s)
{
	size_t i = 0;

	while (i < l->n && l->rows[i].is_removed)
		i++;
	require(s->cursor == (i < l->n ? l->rows[i].event.id - 1 : head));
	require(s->known.upto == highest_removed(l));
}

static void
expect_last(const struct list *l, const struct wish *w, int64_t head,
    int64_t wanted, const struct seek *s)
{
	int64_t cursor = head;

	for (size_t i = l->n; i-- > 0 && wanted > 0;) {
		const struct row *r = &l->rows[i];

		if (r->is_removed || r->event.id > head ||
		    !wish_has(w, &r->event))
			continue;
		cursor = r->event.id - 1;
		wanted--;
	}
	require(s->cursor == cursor && s->known.upto == highest_removed(l));
}

/* Before the cursor is older, behind it is not, and nothing more is said. */
static void
expect_since(const struct list *l, int64_t head, int64_t since,
    const struct seek *s)
{
	bool has_older = false;

	require(s->cursor <= head && s->known.upto == 0);
	for (size_t i = 0; i < l->n; i++) {
		const struct row *r = &l->rows[i];
		bool is_older = r->created_ms < since;

		if (r->is_removed || r->event.id > head)
			continue;
		require(is_older == (r->event.id <= s->cursor));
		has_older |= is_older;
	}
	require(has_older || s->cursor == 0 || s->cursor == head);
}

static void
expect(const struct list *l, const struct wish *w, int64_t head,
    const struct seek *s, int64_t value, enum seek_result result)
{
	if (s->start != START_AFTER)
		require(result == SEEK_FOUND);
	switch (s->start) {
	case START_NOW:
		require(s->cursor == head);
		break;
	case START_AFTER:
		require(s->cursor == (value <= head ? value : head));
		require(result ==
		    (value <= head           ? SEEK_FOUND :
			    value <= l->head ? SEEK_AGAIN :
					       SEEK_BEYOND));
		break;
	case START_EARLIEST:
		expect_earliest(l, head, s);
		break;
	case START_LAST:
		expect_last(l, w, head, value, s);
		break;
	case START_SINCE:
		expect_since(l, head, value, s);
		break;
	}
}

/*
 * The highest id that was removed and that the client wanted, whatever its
 * name; or one of which the topic may have been forgotten.
 */
static void
expect_gap(const struct list *l, const struct wish *w, int64_t cursor,
    int64_t removed)
{
	struct wish any_name = *w;
	int64_t highest = 0, all = highest_removed(l);

	any_name.n_names = 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i].is_removed && l->rows[i].event.id > cursor &&
		    wish_has(&any_name, &l->rows[i].event))
			highest = l->rows[i].event.id;
	require(removed >= highest);
	if (removed != highest) /* "forgotten" */
		require(removed > cursor && removed < all - FORGET_IDS);
}

/* From there on all is there. */
static void
expect_next(const struct list *l, int64_t removed, int64_t next)
{
	int64_t expected = l->head + 1;

	for (size_t i = l->n; i-- > 0 && l->rows[i].event.id > removed;)
		if (!l->rows[i].is_removed)
			expected = l->rows[i].event.id;
	require(next == (removed > 0 ? expected : 0));
}

/* ---- asking ---- */

static int64_t
choose_value(struct list *l, enum start start)
{
	struct choices *c = &l->choices;
	const struct row *r = &l->rows[choose(c, ROWS_MAX)];
	int64_t about = (int64_t)choose(c, 4) - 1;

	switch (start) {
	case START_AFTER:
		return (choose(c, 8) == 7 ? INT64_MAX - 3 : r->event.id + 1) +
		    about;
	case START_LAST:
		if (choose(c, 8) == 7)
			return INT64_MAX;
		return 1 + (int64_t)choose(c, choose(c, 2) == 0 ? 9 : 1500);
	case START_SINCE:
		return r->created_ms + about > 0 ? r->created_ms + about : 0;
	default:
		return 0;
	}
}

static void
ask(struct list *l)
{
	static const enum start starts[] = { START_NOW, START_AFTER,
		START_EARLIEST, START_LAST, START_SINCE };
	struct choices *c = &l->choices;
	struct wish w;
	struct filter *f;
	struct seek s = { .cursor = 0 };
	struct gap_known known = { 0 };
	int64_t head = l->head, value, next;
	enum seek_result result;
	int steps = 0;

	choose_wish(c, &w);
	f = wish_filter(&w);
	s.start = starts[choose(c, 5)];
	if (choose(c, 4) == 3 && l->n > 0) /* has not seen all of it yet */
		head = l->rows[choose(c, ROWS_MAX) % l->n].event.id;
	s.value = value = choose_value(l, s.start);
	do
		result = seek_step(l->log, head, f, &s);
	while (result == SEEK_AGAIN && s.start != START_AFTER && ++steps < 9);
	expect(l, &w, head, &s, value, result);
	require(gap_find(l->log, f, s.cursor, &known, &next) == LOG_OK);
	expect_gap(l, &w, s.cursor, known.upto);
	expect_next(l, known.upto, next);
	filter_free(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log *log; /* to open it costs milliseconds */
	static struct list l;
	struct log_options options = { .path = scratch_log() };
	char why[LOG_WHY_MAX];

	if (log == NULL)
		require(log_open(&options, &log, why) == LOG_OK);
	memset(&l, 0, sizeof(l));
	l.log = log;
	l.choices = (struct choices){ data, size };
	add_rows(&l);
	remove_rows(&l);
	for (int i = 0; i < ASKS_MAX && l.choices.len > 0; i++)
		ask(&l);
	return 0;
}
