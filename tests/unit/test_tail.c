/*
 * tail: the newest part of the log in memory.  One check for each promise of
 * the contract; then random calls against a plain array of all events, with a
 * tail so small that chunks go all the time.
 */
#include "tap.h"

#include "lib/sse.h"
#include "fcgi/tail.h"

#define MODEL_MAX 8000
#define STEP_MAX 4096 /* events of one step */

static char blank[3 * CHUNK_BYTES];

static struct event
event(int64_t id, size_t data_len)
{
	return tap_event(id, TEXT("topic"), TEXT("message"),
	    (struct text){ blank, data_len });
}

static const struct chunk *
add(struct tail *t, int64_t id, size_t data_len)
{
	struct event e = event(id, data_len);

	return tail_add(t, &e, sse_len(&e));
}

static struct tail *
new_tail(size_t capacity, int64_t head)
{
	struct tail *t = tail_new(capacity, head);

	if (t == NULL)
		abort();
	return t;
}

static void
check_empty(void)
{
	struct tail *t = new_tail(1 << 20, 41);

	check(tail_head(t) == 41 && tail_start(t) == 41,
	    "a new tail begins and ends at the head");
	check(tail_find(t, 40) == NULL && tail_find(t, 41) == NULL &&
		tail_find(t, 42) == NULL,
	    "nothing is found in it");
	tail_reach(t, 45);
	check(tail_head(t) == 45 && tail_start(t) == 41,
	    "ids without events move the head alone");
	check(tail_find(t, 41) != NULL && tail_find(t, 44) != NULL &&
		tail_find(t, 44)->n == 0,
	    "that nothing is there is known, too");
	tail_reach(t, 43);
	check(tail_head(t) == 45, "the head does not go back");
	tail_free(t);
	tail_free(NULL);
	check(true, "free takes NULL");
}

static void
check_add(void)
{
	struct tail *t = new_tail(1 << 20, 0);
	const struct chunk *c = add(t, 5, 3);

	check(c != NULL && c->n == 1 && c->entries[0].id == 5 &&
		c == tail_find(t, 0) && c == tail_find(t, 4),
	    "an event is found from any cursor before it");
	check(tail_head(t) == 5 && tail_find(t, 5) == NULL,
	    "and makes the head");
	c = add(t, 6, CHUNK_BYTES);
	check(c != NULL && c->n == 1 && c->after == 5 && tail_find(t, 5) == c &&
		tail_find(t, 4) != c,
	    "an event larger than a chunk has one of its own");
	c = add(t, 7, 0);
	check(c != NULL && c->after == 6 && tail_find(t, 6) == c &&
		tail_find(t, 0)->upto == 5,
	    "what follows begins another");
	tail_free(t);

	t = new_tail(1 << 20, 9);
	c = add(t, 10, CHUNK_BYTES);
	check(c != NULL && tail_find(t, 9) == c && tail_start(t) == 9,
	    "a large event comes first: found from the head before it");
	tail_free(t);
}

static void
check_bounds(void)
{
	struct tail *t = new_tail(3 * CHUNK_BYTES, 0);
	const struct chunk *c;

	for (int64_t id = 1; id <= 1000; id++)
		(void)add(t, id, 1000);
	check(tail_start(t) > 800 && tail_start(t) < 940 &&
		tail_find(t, tail_start(t) - 1) == NULL &&
		tail_find(t, tail_start(t)) != NULL,
	    "the oldest events go when it has grown");
	(void)add(t, 1001, 2 * CHUNK_BYTES);
	c = add(t, 1002, 2 * CHUNK_BYTES);
	check(tail_head(t) == 1002 && c != NULL && tail_find(t, 1001) == c,
	    "the newest stays, large as it is");
	tail_free(t);

	t = new_tail(64, 0);
	(void)add(t, 1, 2 * CHUNK_BYTES);
	(void)add(t, 2, 10);
	check(tail_start(t) == 1, "a large event before it does not");
	tail_free(t);
}

/* Who gathers events of a step sends them from where they lie. */
static void
check_step(void)
{
	struct tail *t = new_tail(64, 0);
	const struct chunk *first, *c;

	(void)add(t, 1, CHUNK_BYTES / 2);
	first = add(t, 2, 1000);
	c = add(t, 3, CHUNK_BYTES / 2);
	check(first != NULL && c != NULL && first != c &&
		tail_find(t, 1) == first && tail_find(t, 2) == c,
	    "the last record's worth of events stays, small as the tail is");
	tail_free(t);
}

static void
check_cut(void)
{
	struct tail *t = new_tail(1 << 20, 0);

	for (int64_t id = 1; id <= 500; id++)
		(void)add(t, id, 1000);
	tail_cut(t, 500);
	check(tail_head(t) == 500, "a cut at the head takes nothing");
	tail_cut(t, 499);
	check(tail_head(t) == 499 && tail_find(t, 498) != NULL &&
		tail_find(t, 499) == NULL,
	    "a cut takes events off");
	tail_cut(t, 10);
	check(tail_head(t) == 10 && tail_start(t) == 0 &&
		tail_find(t, 9) != NULL && tail_find(t, 10) == NULL,
	    "a cut over several chunks likewise");
	check(add(t, 11, 3) != NULL && tail_head(t) == 11,
	    "others take their place");
	tail_cut(t, 0);
	check(tail_head(t) == 0 && tail_start(t) == 0, "a cut takes all");
	tail_free(t);

	t = new_tail(64, 100);
	(void)add(t, 101, 3);
	tail_cut(t, 90);
	check(tail_head(t) == 90 && tail_start(t) == 90 &&
		add(t, 91, 3) != NULL && tail_find(t, 90) != NULL,
	    "a cut before the start: it goes on from there");
	tail_free(t);
}

static void
check_forget(void)
{
	struct tail *t = new_tail(1 << 20, 0);

	for (int64_t id = 1; id <= 500; id++)
		(void)add(t, id, 1000);
	tail_forget(t, 0);
	check(tail_start(t) == 0, "nothing to forget");
	tail_forget(t, 100);
	check(tail_start(t) >= 100 && tail_start(t) < 200 &&
		tail_head(t) == 500,
	    "what is forgotten is gone, and little else");
	tail_forget(t, 500);
	check(tail_start(t) == 500 && tail_head(t) == 500,
	    "all can be forgotten");
	(void)add(t, 501, 3);
	tail_forget(t, 900);
	check(tail_start(t) == 501 && tail_head(t) == 501,
	    "ids beyond the head are no trouble");
	tail_free(t);
}

static void
check_clear(void)
{
	struct tail *t = new_tail(1 << 20, 0);
	const struct chunk *c;

	for (int64_t id = 1; id <= 500; id++)
		(void)add(t, id, 1000);
	tail_clear(t, 20);
	check(tail_start(t) == 20 && tail_head(t) == 20 &&
		tail_find(t, 19) == NULL && tail_find(t, 20) == NULL,
	    "a cleared tail is empty, at a head of its own");
	c = add(t, 21, 3);
	check(c != NULL && c->n == 1 && tail_find(t, 20) == c,
	    "and goes on there");
	tail_free(t);
}

/* ---- against a plain array ---- */

struct model {
	struct {
		int64_t id;
		char *bytes;
		size_t len;
	} events[MODEL_MAX];
	size_t n;
	int64_t head;
	size_t capacity;
	/* where the events of this step were said to lie */
	struct {
		const char *at;
		size_t event;
	} step[STEP_MAX];
	size_t step_n, step_len;
};

static void
model_cut(struct model *m, int64_t head)
{
	while (m->n > 0 && m->events[m->n - 1].id > head)
		free(m->events[--m->n].bytes);
	m->head = head;
	m->step_n = m->step_len = 0;
}

/* The events of a chunk after a cursor are those of the array. */
static bool
is_chunk_good(const struct model *m, const struct chunk *c, int64_t cursor)
{
	size_t at = 0, i = chunk_find(c, cursor);

	while (at < m->n && m->events[at].id <= cursor)
		at++;
	for (; i < c->n; i++, at++) {
		const struct chunk_entry *e = &c->entries[i];

		if (at == m->n || m->events[at].id != e->id ||
		    m->events[at].len != e->len ||
		    memcmp(m->events[at].bytes, c->bytes + e->at, e->len) != 0)
			return false;
	}
	return at == m->n || m->events[at].id > c->upto;
}

/* All that lies between start and head is there, and within bounds. */
static bool
is_tail_good(const struct model *m, const struct tail *t)
{
	int64_t cursor = tail_start(t), head = tail_head(t);
	size_t size = 0, last = 0, last_but_one = 0;

	if (head != m->head || cursor > head ||
	    tail_find(t, cursor - 1) != NULL || tail_find(t, head) != NULL)
		return false;
	while (cursor < head) {
		const struct chunk *c = tail_find(t, cursor);

		if (c == NULL || c->after != cursor || c->upto <= cursor ||
		    !is_chunk_good(m, c, cursor))
			return false;
		size += last_but_one;
		last_but_one = last;
		last = chunk_size(c);
		cursor = c->upto;
	}
	/* the newest stays, and the one before it if it is an ordinary one */
	return size <= m->capacity;
}

static bool
is_step_there(const struct model *m)
{
	for (size_t i = 0; i < m->step_n; i++) {
		size_t k = m->step[i].event;

		if (memcmp(m->step[i].at, m->events[k].bytes,
			m->events[k].len) != 0)
			return false;
	}
	return true;
}

static void
random_add(struct model *m, struct tail *t)
{
	size_t max = tap_random(30) == 0 ? 2 * CHUNK_BYTES : 4000;
	struct event e =
	    event(m->head + 1 + (int64_t)tap_random(3), tap_random(max));
	size_t len = sse_len(&e);
	const struct chunk *c;

	if (m->n == MODEL_MAX)
		return;
	if (m->step_len + len > CHUNK_BYTES || m->step_n == STEP_MAX)
		m->step_n = m->step_len = 0;
	c = tail_add(t, &e, len);
	if (c == NULL || c->n == 0)
		abort();
	m->events[m->n].id = m->head = e.id;
	m->events[m->n].len = len;
	m->events[m->n].bytes = malloc(len);
	if (m->events[m->n].bytes == NULL)
		abort();
	(void)sse_encode(&e, m->events[m->n].bytes);
	m->step[m->step_n].at = c->bytes + c->entries[c->n - 1].at;
	m->step[m->step_n++].event = m->n++;
	m->step_len += len;
}

/* An id somewhere between a little before the start and the head. */
static int64_t
some_id(const struct tail *t)
{
	int64_t from = tail_start(t) > 3 ? tail_start(t) - 3 : 0;

	return from + (int64_t)tap_random((size_t)(tail_head(t) - from) + 3);
}

static bool
random_call(struct model *m, struct tail *t)
{
	int64_t start = tail_start(t), id = some_id(t);

	switch (tap_random(60)) {
	case 0:
		tail_reach(t, id);
		m->head = id > m->head ? id : m->head;
		return tail_start(t) == start;
	case 1:
		if (id > m->head)
			id = m->head;
		tail_cut(t, id);
		model_cut(m, id);
		return tail_start(t) == (id < start ? id : start);
	case 2:
		tail_forget(t, id);
		m->step_n = m->step_len = 0;
		return tail_start(t) >= start &&
		    (tail_start(t) >= id || tail_start(t) == m->head);
	case 3:
		tail_clear(t, id);
		/* what the log holds before it is nobody's business */
		model_cut(m, id);
		return tail_start(t) == id;
	default:
		random_add(m, t);
		return tail_start(t) >= start;
	}
}

static bool
run_model(size_t calls)
{
	static struct model m;
	struct tail *t;
	bool is_good = true;

	m.capacity = tap_random(4 * CHUNK_BYTES);
	m.head = (int64_t)tap_random(100);
	m.n = m.step_n = m.step_len = 0;
	t = new_tail(m.capacity, m.head);
	for (size_t i = 0; i < calls && is_good; i++)
		is_good = random_call(&m, t) && is_tail_good(&m, t) &&
		    is_step_there(&m);
	model_cut(&m, -1);
	tail_free(t);
	return is_good;
}

static bool
run_models(void)
{
	for (int i = 0; i < 60; i++)
		if (!run_model(600))
			return false;
	return true;
}

/* What was taken off does not count any more. */
static bool
keeps_after(bool is_cut)
{
	struct tail *t = new_tail(12 * CHUNK_BYTES, 0);
	bool is_good;

	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < 3; k++)
			(void)add(t, tail_head(t) + 1, CHUNK_BYTES);
		if (is_cut)
			tail_cut(t, 0);
		else
			tail_clear(t, 0);
	}
	for (int k = 0; k < 10; k++)
		(void)add(t, tail_head(t) + 1, CHUNK_BYTES - 100);
	is_good = tail_start(t) == 0;
	tail_free(t);
	return is_good;
}

/* Nothing goes as long as all of it is within bounds. */
static bool
keeps_what_it_can(void)
{
	for (int i = 0; i < 50; i++) {
		size_t capacity = 200000 + tap_random(1000000), n = 0;
		struct tail *t = new_tail(capacity, 0);

		/* half of it is data: entries and names take little more */
		while (n < capacity / 2) {
			size_t len = tap_random(3000);

			(void)add(t, tail_head(t) + 1, len);
			n += len;
		}
		if (tail_start(t) != 0) {
			tail_free(t);
			return false;
		}
		tail_free(t);
	}
	return true;
}

static void
check_size(void)
{
	struct tail *t = new_tail(1 << 20, 0);
	struct event e = event(2, 10);

	if (add(t, 1, 10) == NULL)
		abort();
	check(tail_add(t, &e, SIZE_MAX) == NULL && tail_head(t) == 1 &&
		tail_find(t, 0) != NULL && tail_add(t, &e, sse_len(&e)) != NULL,
	    "an event of a size that no memory holds is left out");
	tail_free(t);
}

int
main(void)
{
	memset(blank, ' ', sizeof(blank));
	tap_seed();
	check_empty();
	check_add();
	check_bounds();
	check_step();
	check_size();
	check_cut();
	check_forget();
	check_clear();
	check(run_models(), "random calls: as a plain array of events");
	check(keeps_after(true), "what was cut off does not count");
	check(keeps_after(false), "what was cleared does not count");
	check(keeps_what_it_can(), "random sizes: nothing goes without need");
	return tap_end();
}
