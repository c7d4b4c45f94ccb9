/*
 * A thread that publishes at a rate.  If the server cannot keep up, the run
 * ends after twice its time.
 */
#include "publisher.h"

#include <sys/socket.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log/log.h"
#include "clock.h"
#include "target.h"

#define PAGE_ROWS 2000
#define TOPIC_MAX 32
#define DATA_SPARE 64 /* the numbers may need more than was asked for */
#define HEAD_MAX 1024
#define ANSWER_MAX 8192
#define BUSY_MS 5000

struct publisher {
	struct publisher_options options;
	pthread_t thread;
	struct log *log;
	struct target target;
	int fd;
	char *data;
	struct page *bulk;
	int64_t *finished; /* when event i was */
	int64_t published;
	struct histogram took;
	bool has_failed;
	atomic_bool is_done;
};

/* ---- one event ---- */

/* Returns the length: size, or more where that is too short for the numbers. */
static size_t
write_data(char *data, size_t size, int64_t seq, int64_t time_ns)
{
	int used = snprintf(data, size + DATA_SPARE, "%lld %lld ",
	    (long long)seq, (long long)time_ns);

	if ((size_t)used >= size)
		return (size_t)used;
	memset(data + used, 'x', size - (size_t)used);
	return size;
}

static struct event
make_event(const struct publisher_options *o, char topic[TOPIC_MAX],
    int64_t seq, const char *data, size_t len)
{
	struct event e = {
		.topic = { o->topic, strlen(o->topic) },
		.name = { "message", 7 },
		.data = { data, len },
		.retry_ms = EVENT_NO_RETRY,
	};

	if (o->topics > 0) {
		(void)snprintf(topic, TOPIC_MAX, "%c%lld", o->prefix,
		    (long long)(seq % o->topics));
		e.topic = (struct text){ topic, strlen(topic) };
	}
	return e;
}

static int
append(struct publisher *p, int64_t seq, size_t len)
{
	struct log_receipt receipt;
	char topic[TOPIC_MAX];
	size_t culprit;
	struct event e = make_event(&p->options, topic, seq, p->data, len);

	if (log_append(p->log, &e, 1, &receipt, &culprit) == LOG_OK)
		return 0;
	fprintf(stderr, "publisher: %s\n", log_why(p->log));
	return -1;
}

/* Is the answer whole?  -1 if it is a refusal. */
static int
check_answer(const char *answer, size_t len)
{
	const char *end = strstr(answer, "\r\n\r\n"), *length;

	if (end == NULL)
		return 0;
	if (strncmp(answer, "HTTP/1.1 2", 10) != 0) {
		fprintf(stderr, "publisher: %.60s\n", answer);
		return -1;
	}
	length = strcasestr(answer, "content-length:");
	if (length == NULL || length > end)
		return 1;
	return len >=
	    (size_t)(end + 4 - answer) + strtoul(length + 15, NULL, 10);
}

static int
connect_again(struct publisher *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = target_connect(&p->target);
	return p->fd >= 0 ? 0 : -1;
}

static int
send_post(struct publisher *p, size_t len)
{
	const struct publisher_options *o = &p->options;
	size_t before = strlen(o->before), after = strlen(o->after);
	char head[HEAD_MAX];
	int n;

	n = snprintf(head, sizeof(head),
	    "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    p->target.path, p->target.host, before + len + after, o->before);
	memcpy(p->data + len, o->after, after);
	if (n < 0 || (size_t)n >= sizeof(head) ||
	    send(p->fd, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE) != n ||
	    send(p->fd, p->data, len + after, MSG_NOSIGNAL) !=
		(ssize_t)(len + after))
		return -1;
	return 0;
}

/* On a connection that stays open if the server lets it. */
static int
post(struct publisher *p, size_t len)
{
	char answer[ANSWER_MAX];
	size_t got = 0;
	int whole;

	if ((p->fd < 0 && connect_again(p) != 0) || send_post(p, len) != 0) {
		fprintf(stderr, "publisher: the server has left\n");
		return -1;
	}
	do {
		ssize_t r =
		    recv(p->fd, answer + got, sizeof(answer) - 1 - got, 0);

		if (r <= 0) {
			fprintf(stderr, "publisher: no answer\n");
			return -1;
		}
		got += (size_t)r;
		answer[got] = '\0';
		whole = check_answer(answer, got);
	} while (whole == 0);
	if (strcasestr(answer, "connection: close") != NULL) {
		(void)close(p->fd);
		p->fd = -1;
	}
	return whole > 0 ? 0 : -1;
}

/* ---- many at once ---- */

/* Rows of one transaction. */
struct page {
	struct event events[PAGE_ROWS];
	struct log_receipt receipts[PAGE_ROWS];
	char topics[PAGE_ROWS][TOPIC_MAX];
	char data[];
};

static struct page *
page_new(size_t size)
{
	return malloc(sizeof(struct page) + PAGE_ROWS * (size + DATA_SPARE));
}

/*
 * Commit n events together.
 *   time_ns  that they carry
 *   shape    n <= PAGE_ROWS
 */
static int
append_page(struct publisher *p, const struct publisher_options *o,
    struct page *page, int64_t seq, size_t n, int64_t time_ns)
{
	char *data = page->data;
	size_t culprit;

	for (size_t i = 0; i < n; i++) {
		size_t len =
		    write_data(data, o->size, seq + (int64_t)i, time_ns);

		page->events[i] =
		    make_event(o, page->topics[i], seq + (int64_t)i, data, len);
		data += len;
	}
	if (log_append(p->log, page->events, n, page->receipts, &culprit) ==
	    LOG_OK)
		return 0;
	fprintf(stderr, "publisher: %s\n", log_why(p->log));
	return -1;
}

/* What comes behind event i. */
static int
append_bulk(struct publisher *p, int64_t i)
{
	struct publisher_options o = p->options;

	o.prefix = 'b';
	o.topics = o.bulk_topics;
	o.size = o.bulk_size;
	return append_page(p, &o, p->bulk, i * o.bulk_rows, (size_t)o.bulk_rows,
	    clock_now_ns());
}

/* ---- the thread ---- */

static void *
run(void *cookie)
{
	struct publisher *p = cookie;
	const struct publisher_options *o = &p->options;
	int64_t start = clock_now_ns(), n = (int64_t)(o->rate * o->seconds);

	for (int64_t i = 0; i < n; i++) {
		int64_t now, seq = o->first_seq + i;
		size_t len;

		clock_wait_until(start + (int64_t)((double)i * 1e9 / o->rate));
		now = clock_now_ns();
		if (now - start > (int64_t)(o->seconds * 2e9))
			break;
		len = write_data(p->data, o->size, seq, now);
		if ((p->log != NULL ? append(p, seq, len) : post(p, len)) !=
		    0) {
			p->has_failed = true;
			break;
		}
		p->finished[p->published] = clock_now_ns();
		histogram_add(&p->took, p->finished[p->published++] - now);
		if (p->bulk != NULL && append_bulk(p, i) != 0) {
			p->has_failed = true;
			break;
		}
	}
	atomic_store(&p->is_done, true);
	return NULL;
}

static void
release(struct publisher *p)
{
	log_close(p->log);
	if (p->fd >= 0)
		(void)close(p->fd);
	free(p->finished);
	free(p->bulk);
	free(p->data);
	free(p);
}

/* Connected to the log or the server, but no thread yet. */
static struct publisher *
prepare(const struct publisher_options *o)
{
	struct log_options lo = { .path = o->db,
		.create = true,
		.append = true,
		.no_sync = o->no_sync,
		.busy_ms = BUSY_MS };
	struct publisher *p = calloc(1, sizeof(*p));
	char why[LOG_WHY_MAX];

	if (p == NULL)
		return NULL;
	p->options = *o;
	p->options.prefix = 't';
	p->fd = -1;
	p->data = malloc(o->size + strlen(o->after) + DATA_SPARE);
	if (o->bulk_rows > 0 && o->bulk_rows <= PAGE_ROWS)
		p->bulk = page_new(o->bulk_size);
	p->finished =
	    calloc((size_t)(o->rate * o->seconds) + 1, sizeof(*p->finished));
	if (p->data == NULL || p->finished == NULL ||
	    (o->bulk_rows > 0 && p->bulk == NULL)) {
		release(p);
		return NULL;
	}
	if (o->db != NULL && log_open(&lo, &p->log, why) != LOG_OK) {
		fprintf(stderr, "publisher: %s: %s\n", o->db, why);
		release(p);
		return NULL;
	}
	if (o->post != NULL &&
	    (target_parse(o->post, &p->target) != 0 || connect_again(p) != 0)) {
		fprintf(stderr, "publisher: %s: no connection\n", o->post);
		release(p);
		return NULL;
	}
	return p;
}

struct publisher *
publisher_start(const struct publisher_options *o)
{
	struct publisher *p = prepare(o);

	if (p != NULL && pthread_create(&p->thread, NULL, run, p) != 0) {
		release(p);
		return NULL;
	}
	return p;
}

bool
publisher_is_done(struct publisher *p)
{
	return atomic_load(&p->is_done);
}

int64_t
publisher_join(struct publisher *p, struct histogram *took, int64_t **finished)
{
	int64_t published;

	(void)pthread_join(p->thread, NULL);
	published = p->has_failed ? -1 : p->published;
	*took = p->took;
	*finished = p->finished;
	p->finished = NULL;
	release(p);
	return published;
}

/* ---- filling ---- */

int
publisher_fill(const struct publisher_options *o, int64_t n,
    struct histogram *took)
{
	int64_t per_page = o->fill_page < PAGE_ROWS ? o->fill_page : PAGE_ROWS;
	struct publisher *p = prepare(o);
	struct page *page = page_new(o->size);
	int result = p == NULL || p->log == NULL || page == NULL ? -1 : 0;

	for (int64_t done = 0; done < n && result == 0; done += per_page) {
		int64_t start = clock_now_ns();

		result = append_page(p, &p->options, page, o->first_seq + done,
		    (size_t)(n - done < per_page ? n - done : per_page), 0);
		histogram_add(took, clock_now_ns() - start);
	}
	free(page);
	if (p != NULL)
		release(p);
	return result;
}
