/*
 * chunk: a run of encoded events, one check for each promise of the contract;
 * then random additions and cuts against a plain array.
 */
#include "tap.h"

#include "fcgi/chunk.h"
#include "lib/sse.h"

#define MODEL_MAX 4000

/* What was added, with an encoding of its own. */
struct model {
	struct {
		int64_t id;
		struct text topic, name;
		char *bytes;
		size_t len;
	} events[MODEL_MAX];
	size_t n;
};

static struct event
event(int64_t id, const char *topic, const char *name, const char *data)
{
	return tap_event(id, text_of(topic), text_of(name), text_of(data));
}

static bool
add(struct chunk *c, int64_t id, const char *topic, const char *name,
    const char *data)
{
	struct event e = event(id, topic, name, data);

	return chunk_add(c, &e, sse_len(&e)) == 0;
}

static bool
holds(const struct chunk *c, size_t i, const char *encoding)
{
	const struct chunk_entry *e = &c->entries[i];

	return text_equal((struct text){ c->bytes + e->at, e->len },
	    text_of(encoding));
}

static void
check_new(void)
{
	struct chunk *c = chunk_new(7, 10), *large;

	if (c == NULL)
		abort();
	check(c->after == 7 && c->upto == 7 && c->n == 0 && c->len == 0,
	    "a new chunk begins and ends at its id and is empty");
	check(chunk_fits(c, CHUNK_BYTES), "it has room for a record");
	check(!chunk_fits(c, CHUNK_BYTES + 1), "and for no more");
	check(chunk_find(c, 0) == 0 && chunk_find(c, 99) == 0,
	    "find in an empty chunk gives n");
	large = chunk_new(7, CHUNK_BYTES + 1000);
	check(large != NULL && chunk_fits(large, CHUNK_BYTES + 1000) &&
		!chunk_fits(large, CHUNK_BYTES + 1001),
	    "a chunk for a large event has room for just that");
	check(chunk_new(0, SIZE_MAX) == NULL, "an impossible size is refused");
	chunk_free(c);
	chunk_free(large);
	chunk_free(NULL);
	check(true, "free takes NULL");
}

static void
check_add(void)
{
	struct chunk *c = chunk_new(0, 0);
	const char *first;

	if (c == NULL || !add(c, 3, "t", "message", "a\nb") ||
	    !add(c, 9, "", "n", ""))
		abort();
	first = c->bytes;
	check(c->n == 2 && c->entries[0].id == 3 && c->entries[1].id == 9,
	    "events are kept in order");
	check(holds(c, 0, "id: 3\ndata: a\ndata: b\n\n") &&
		holds(c, 1, "id: 9\nevent: n\ndata: \n\n"),
	    "each is encoded");
	check(c->entries[1].at == c->entries[0].len &&
		c->len == c->entries[0].len + c->entries[1].len,
	    "encodings lie end to end");
	check(c->after == 0 && c->upto == 9, "adding raises upto");
	check(text_equal(chunk_topic(c, 0), TEXT("t")) &&
		text_equal(chunk_name(c, 0), TEXT("message")) &&
		text_equal(chunk_topic(c, 1), TEXT("")) &&
		text_equal(chunk_name(c, 1), TEXT("n")),
	    "topics and names are kept");
	check(chunk_find(c, 2) == 0 && chunk_find(c, 3) == 1 &&
		chunk_find(c, 8) == 1 && chunk_find(c, 9) == 2,
	    "find gives the first event after a cursor");
	for (int i = 10; i < 1000; i++)
		if (!add(c, i, "topic", "name", "data"))
			abort();
	check(c->bytes == first && holds(c, 0, "id: 3\ndata: a\ndata: b\n\n") &&
		text_equal(chunk_topic(c, 0), TEXT("t")),
	    "what is there stays as it is while more comes");
	check(chunk_size(c) >= sizeof(*c) + c->capacity +
		    c->n * sizeof(struct chunk_entry) + c->names_len,
	    "its size counts bytes, entries and names");
	chunk_free(c);
}

static void
check_full(void)
{
	static char data[CHUNK_BYTES];
	struct event e = event(1, "", "message", "");
	struct chunk *c;

	memset(data, 'x', sizeof(data));
	e.data = (struct text){ data, sizeof(data) - (sse_len(&e)) };
	c = chunk_new(0, sse_len(&e));
	if (c == NULL)
		abort();
	check(sse_len(&e) == CHUNK_BYTES && c->capacity == CHUNK_BYTES &&
		chunk_add(c, &e, sse_len(&e)) == 0 && c->len == c->capacity,
	    "an event of exactly a chunk's size fills it");
	check(chunk_fits(c, 0) && !chunk_fits(c, 1), "then nothing fits");
	chunk_free(c);
	e.data.len = sizeof(data);
	c = chunk_new(0, sse_len(&e));
	if (c == NULL)
		abort();
	check(chunk_add(c, &e, sse_len(&e)) == 0 && c->len == sse_len(&e),
	    "an event beyond a chunk's size has a chunk of its own");
	check(!chunk_fits(c, SIZE_MAX) && chunk_new(0, SIZE_MAX) == NULL,
	    "one of a size that no memory holds has none");
	chunk_free(c);
}

static void
check_cut(void)
{
	struct chunk *c = chunk_new(0, 0);

	if (c == NULL || !add(c, 3, "a", "x", "1") || !add(c, 5, "b", "y", "2"))
		abort();
	chunk_cut(c, 5);
	check(c->n == 2 && c->upto == 5, "a cut at the last event takes none");
	c->upto = 8;
	chunk_cut(c, 6);
	check(c->n == 2 && c->upto == 6, "a cut behind it moves upto only");
	chunk_cut(c, 4);
	check(c->n == 1 && c->upto == 4 && c->len == c->entries[0].len,
	    "a cut takes later events off");
	check(add(c, 6, "c", "z", "3") && c->n == 2 &&
		holds(c, 1, "id: 6\nevent: z\ndata: 3\n\n") &&
		text_equal(chunk_topic(c, 1), TEXT("c")) &&
		text_equal(chunk_name(c, 1), TEXT("z")),
	    "others take their place");
	chunk_cut(c, 0);
	check(c->n == 0 && c->len == 0 && c->names_len == 0 && c->upto == 0,
	    "a cut at the front empties it");
	chunk_free(c);
}

/* ---- against a plain array ---- */

static void
model_cut(struct model *m, int64_t last)
{
	while (m->n > 0 && m->events[m->n - 1].id > last) {
		m->n--;
		free(m->events[m->n].bytes);
		tap_free_text(m->events[m->n].topic);
		tap_free_text(m->events[m->n].name);
	}
}

static bool
random_add(struct chunk *c, struct model *m)
{
	struct text data = tap_random_text("ab\r\n", 4, 300);
	struct event e = { .id = c->upto + 1 + (int64_t)tap_random(4),
		.topic = tap_random_text("t/", 2, 20),
		.name = tap_random_text("n", 1, 12),
		.data = data,
		.retry_ms = tap_random(2) > 0 ? EVENT_NO_RETRY :
						(int64_t)tap_random(9) };
	size_t len = sse_len(&e);
	bool is_taken = chunk_fits(c, len) && m->n < MODEL_MAX;
	bool is_good = chunk_fits(c, len) == (c->len + len <= c->capacity);

	if (is_taken) {
		m->events[m->n].id = e.id;
		m->events[m->n].topic = e.topic;
		m->events[m->n].name = e.name;
		m->events[m->n].bytes = malloc(len);
		m->events[m->n].len = len;
		if (m->events[m->n].bytes == NULL)
			abort();
		(void)sse_encode(&e, m->events[m->n++].bytes);
		is_good = is_good && chunk_add(c, &e, len) == 0;
	} else {
		tap_free_text(e.topic);
		tap_free_text(e.name);
	}
	tap_free_text(data);
	return is_good;
}

static bool
is_as_model(const struct chunk *c, const struct model *m)
{
	size_t at = 0;

	if (c->n != m->n)
		return false;
	for (size_t i = 0; i < m->n; i++) {
		const struct chunk_entry *e = &c->entries[i];

		if (e->id != m->events[i].id || e->at != at ||
		    e->len != m->events[i].len ||
		    memcmp(c->bytes + e->at, m->events[i].bytes, e->len) != 0 ||
		    !text_equal(chunk_topic(c, i), m->events[i].topic) ||
		    !text_equal(chunk_name(c, i), m->events[i].name))
			return false;
		at += e->len;
	}
	return c->len == at;
}

static bool
finds_as_model(const struct chunk *c, const struct model *m, int64_t cursor)
{
	size_t i = 0;

	while (i < m->n && m->events[i].id <= cursor)
		i++;
	return chunk_find(c, cursor) == i;
}

static bool
run_model(size_t steps)
{
	static struct model m;
	struct chunk *c = chunk_new(100, 0);
	bool is_good = c != NULL;

	m.n = 0;
	for (size_t i = 0; i < steps && is_good; i++) {
		int64_t id = 98 + (int64_t)tap_random((size_t)c->upto - 95);

		if (tap_random(40) == 0) {
			int64_t last = id < 100 ? 100 : id;

			chunk_cut(c, last);
			model_cut(&m, last);
			is_good = c->upto == last;
		} else {
			is_good = random_add(c, &m);
		}
		is_good =
		    is_good && is_as_model(c, &m) && finds_as_model(c, &m, id);
	}
	model_cut(&m, -1);
	chunk_free(c);
	return is_good;
}

static bool
run_models(void)
{
	for (int i = 0; i < 100; i++)
		if (!run_model(400))
			return false;
	return true;
}

int
main(void)
{
	tap_seed();
	check_new();
	check_add();
	check_full();
	check_cut();
	check(run_models(), "random additions and cuts: as a plain array");
	return tap_end();
}
