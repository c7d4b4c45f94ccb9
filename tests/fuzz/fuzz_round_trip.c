/*
 * Events → sse, chunk, tail, batch → records → a browser → the same events.
 *
 * The input chooses events (names and data of any bytes, some larger than a
 * record), a filter, and for each record where it is read from: the tail, or a
 * page that is encoded a second time, so that a large event goes on at a byte
 * offset elsewhere.  The browser gets the bytes in pieces.  Holds if it sees
 * exactly the events that the filter lets pass, in their order, and nothing is
 * unfinished at the end.
 *
 * Options: -len_control=0 -max_len=600
 * Covers: lib/sse.c fcgi/batch.c fcgi/chunk.c
 */
#include "fuzz.h"

#include "fcgi/batch.h"
#include "fcgi/tail.h"
#include "lib/fastcgi/records.h"
#include "lib/sse.h"
#include "tests/oracle/event_source.h"
#include "tests/oracle/filter_model.h"
#include "seen.h"

#define EVENTS_MAX 24
#define DATA_MAX 140000
#define DATA_SUM_MAX 80000 /* of all events: it is to be quick */

struct trip {
	struct choices choices;
	struct event events[EVENTS_MAX];
	char *data[EVENTS_MAX];
	size_t n;
	size_t sum;
	bool passes[EVENTS_MAX];
	struct filter *filter;
	struct tail *tail;
	struct event_source *browser;
	size_t seen; /* of the events, those before it */
};

/* ---- events ---- */

/* A text so many times, on the heap. */
static char *
copy_times(struct text t, size_t times)
{
	char *bytes = malloc(t.len * times + 1);

	require(bytes != NULL);
	for (size_t i = 0; i < times && t.len > 0; i++)
		memcpy(bytes + i * t.len, t.bytes, t.len);
	return bytes;
}

static struct text
choose_name(struct choices *c)
{
	static const struct text names[] = { { "message", 7 }, { "a", 1 },
		{ "ab", 2 }, { "", 0 } };
	size_t which = choose(c, 5);

	return which < 4 ? names[which] : choose_text(c, 12);
}

static void
choose_event(struct trip *t)
{
	static const int64_t retries[] = { EVENT_NO_RETRY, 0, 2500, 86400000 };
	struct event *e = &t->events[t->n];
	int64_t before = t->n > 0 ? t->events[t->n - 1].id : 0;
	struct choices *c = &t->choices;
	struct text text;
	size_t times;

	*e = (struct event){ .id = before + 1 };
	if (choose(c, 4) == 3)
		e->id += (int64_t)choose(c, 100000);
	e->topic = choose_name(c);
	e->name = choose_name(c);
	e->retry_ms = retries[choose(c, 4)];
	text = choose_text(c, 60);
	times = t->sum < DATA_SUM_MAX ? (size_t)1 << choose(c, 14) : 1;
	while (text.len * times > DATA_MAX)
		times /= 2;
	t->data[t->n] = copy_times(text, times);
	e->data = (struct text){ t->data[t->n], text.len * times };
	t->sum += e->data.len;
	t->n++;
}

static void
choose_filter(struct trip *t)
{
	struct pattern p[2];
	struct text name = choose_name(&t->choices);
	size_t n = choose(&t->choices, 3);
	bool has_name = choose(&t->choices, 4) == 3;

	for (size_t i = 0; i < 2; i++) {
		p[i].text = choose_name(&t->choices);
		p[i].is_prefix = choose(&t->choices, 2) == 1;
	}
	t->filter = filter_new(p, n, &name, has_name ? 1 : 0);
	require(t->filter != NULL);
	for (size_t i = 0; i < t->n; i++) {
		const struct event *e = &t->events[i];

		t->passes[i] = model_has_topic(p, n, e->topic) &&
		    model_has_name(&name, has_name ? 1 : 0, e->name);
	}
}

/* ---- the browser ---- */

static void
on_block(void *cookie, const struct event_source_block *b)
{
	struct trip *t = cookie;
	const struct event *e;
	char id[24];

	if (!b->is_event) { /* said between events */
		require(!b->has_id && b->retry_ms == EVENT_NO_RETRY);
		return;
	}
	while (t->seen < t->n && !t->passes[t->seen])
		t->seen++;
	require(t->seen < t->n);
	e = &t->events[t->seen++];
	(void)snprintf(id, sizeof(id), "%lld", (long long)e->id);
	require(text_equal(b->id, (struct text){ id, strlen(id) }));
	require(b->has_id && b->retry_ms == e->retry_ms);
	require(seen_type_is(b->type, e->name));
	require(seen_data_is(b->data, e->data));
}

static void
show(struct trip *t, const struct batch *b)
{
	size_t total = 0;

	for (int i = 1; i < b->n; i++) {
		const char *bytes = b->pieces[i].iov_base;
		size_t len = b->pieces[i].iov_len, cut;

		total += len;
		cut = choose(&t->choices, 2) == 1 ?
		    choose(&t->choices, 1 << 20) % (len + 1) :
		    len;
		event_source_feed(t->browser, bytes, cut, on_block, t);
		event_source_feed(t->browser, bytes + cut, len - cut, on_block,
		    t);
	}
	require(total == b->len && b->len <= RECORDS_CONTENT_MAX);
}

/* ---- records ---- */

/* A page as it is read from the log: from the cursor on, what fits. */
static struct chunk *
read_page(struct trip *t, int64_t cursor)
{
	struct chunk *page = NULL;
	size_t left = 1 + choose(&t->choices, EVENTS_MAX);

	for (size_t i = 0; i < t->n && left > 0; i++) {
		const struct event *e = &t->events[i];
		size_t len = sse_len(e);

		if (e->id <= cursor)
			continue;
		if (page == NULL)
			page = chunk_new(cursor, len);
		require(page != NULL);
		if (!chunk_fits(page, len))
			break;
		require(chunk_add(page, e, len) == 0);
		left--;
	}
	require(page != NULL);
	return page;
}

static void
add_events(struct trip *t, struct batch *b)
{
	const struct chunk *c = tail_find(t->tail, b->at.cursor);
	struct chunk *page = NULL;
	int64_t cursor = b->at.cursor;
	size_t part = b->at.part;

	if (c == NULL || choose(&t->choices, 3) == 2)
		c = page = read_page(t, b->at.cursor);
	require(c->after <= cursor && cursor < c->upto);
	require(batch_add_events(b, t->filter, c) == BATCH_MORE);
	require(b->at.cursor > cursor || b->at.part > part || b->text_len > 0);
	show(t, b);
	chunk_free(page);
}

static void
send_all(struct trip *t)
{
	static struct batch b;
	struct position at = { 0 };

	while (at.cursor < tail_head(t->tail)) {
		batch_begin(&b, &at);
		if (at.part == 0 && choose(&t->choices, 4) == 3)
			batch_say(&b, ":\n\n");
		add_events(t, &b);
		at = b.at;
	}
	while (t->seen < t->n && !t->passes[t->seen])
		t->seen++;
	require(at.part == 0 && t->seen == t->n);
	require(event_source_is_between(t->browser));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trip t;
	size_t n;

	memset(&t, 0, sizeof(t));
	t.choices = (struct choices){ data, size };
	n = choose(&t.choices, EVENTS_MAX + 1);
	while (t.n < n)
		choose_event(&t);
	choose_filter(&t);
	t.tail = tail_new(choose(&t.choices, 4) * 100000, 0);
	require(t.tail != NULL);
	for (size_t i = 0; i < t.n; i++)
		require(tail_add(t.tail, &t.events[i], sse_len(&t.events[i])) !=
		    NULL);
	t.browser = event_source_new();
	send_all(&t);
	event_source_free(t.browser);
	tail_free(t.tail);
	filter_free(t.filter);
	for (size_t i = 0; i < t.n; i++)
		free(t.data[i]);
	return 0;
}
