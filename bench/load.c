/*
 * load: opens many streams, publishes, and checks that every stream receives
 * every event once and in order.  Prints one line of NAME=VALUE.
 */
#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "clock.h"
#include "process.h"

#define SILENCE_NS 2000000000 /* nothing more is to be expected after that */

/* When processes are looked at. */
enum moment {
	BEFORE,  /* there is no stream */
	OPEN,    /* all are open, and have settled */
	IDLE,    /* nothing has been sent for a while */
	STALLED, /* streams have not read what was published meanwhile */
	END,
	N_MOMENTS
};

struct load {
	const struct options *options;
	struct client client;
	struct process_use use[N_MOMENTS][OPTIONS_PIDS_MAX];
	int64_t published;
	struct histogram took;   /* publishing one */
	struct histogram after;  /* from the end of that to arrival */
	struct histogram firsts; /* from connect to the first event */
	double seconds;          /* from the first event to the last */
	double drain_s;          /* of these, after publishing */
	double open_s;
};

static double
since(int64_t start)
{
	return (double)(clock_now_ns() - start) / 1e9;
}

static void
look(struct load *l, enum moment m)
{
	for (int i = 0; i < l->options->n_pids; i++)
		l->use[m][i] = process_use(l->options->pids[i].pid);
}

/* ---- what comes ---- */

static int64_t
expected(const struct load *l)
{
	const struct options *o = l->options;
	int64_t more = 0;

	if (o->events > 0) {
		for (int64_t i = 0; i < o->streams; i++)
			more += o->spread - 1 - i * o->stride % o->spread;
		return o->events * o->streams + more;
	}
	if (o->topics > 0)
		return l->published * o->streams / o->topics;
	return l->published * o->streams;
}

/* Until all has come that was published, or nothing comes any more. */
static void
drain(struct load *l)
{
	int64_t start = clock_now_ns(), last = start;
	uint64_t events = l->client.totals.events;

	while ((int64_t)l->client.totals.events < expected(l) &&
	    clock_now_ns() - last < SILENCE_NS) {
		client_read(&l->client, 20);
		if (l->client.totals.events != events) {
			events = l->client.totals.events;
			last = clock_now_ns();
		}
	}
	l->drain_s = (double)(last - start) / 1e9;
}

/* Arrivals of a single stream, from when publishing was over. */
static void
compare_arrivals(struct load *l, const int64_t *finished)
{
	const struct reader_totals *t = &l->client.totals;

	for (int64_t i = 0; i < l->published && i < t->n_arrivals; i++)
		if (t->arrivals[i] > 0)
			histogram_add(&l->after, t->arrivals[i] - finished[i]);
}

static void
record_arrivals(struct load *l)
{
	const struct publisher_options *o = &l->options->publisher;
	struct reader_totals *t = &l->client.totals;
	int64_t n = (int64_t)(o->rate * o->seconds);

	if (l->options->streams > 1 || o->first_seq > 0)
		return;
	t->arrivals = calloc((size_t)n + 1, sizeof(*t->arrivals));
	t->n_arrivals = t->arrivals != NULL ? n : 0;
}

static void
publish(struct load *l)
{
	struct publisher *p;
	int64_t *finished;

	record_arrivals(l);
	p = publisher_start(&l->options->publisher);
	if (p == NULL)
		exit(EXIT_FAILURE);
	while (!publisher_is_done(p))
		client_read(&l->client, 20);
	l->published = publisher_join(p, &l->took, &finished);
	if (l->published < 0)
		exit(EXIT_FAILURE);
	drain(l);
	compare_arrivals(l, finished);
	free(finished);
	free(l->client.totals.arrivals);
	l->client.totals.n_arrivals = 0;
}

/* ---- runs ---- */

/* Each stream gets what it has missed, or what came while it did not read. */
static void
run_return(struct load *l)
{
	const struct options *o = l->options;
	int64_t start = clock_now_ns();

	client_open_all(&l->client);
	l->open_s = since(start);
	look(l, OPEN);
	client_stall(&l->client, o->stall_s > 0);
	client_read_for(&l->client, o->stall_s);
	look(l, STALLED);
	client_stall(&l->client, false);
	start = o->stall_s > 0 ? clock_now_ns() : start;
	while (l->client.done < o->streams && since(start) < o->timeout_s)
		client_read(&l->client, 50);
	l->seconds = since(start);
}

/* One stream after the other, until its first event, or until the answer begins
   if it does not reconnect. */
static void
run_firsts(struct load *l)
{
	int64_t begin = clock_now_ns();

	for (int64_t i = 0; i < l->options->firsts; i++) {
		const uint64_t events = l->client.totals.events;
		const int64_t opened = l->client.opened;
		int64_t start = clock_now_ns();

		/* no two of them at places that lie close together */
		client_open(&l->client, i * 7919);
		while ((l->options->after < 0 ?
			       l->client.opened == opened :
			       l->client.totals.events == events) &&
		    since(start) < l->options->timeout_s)
			client_read(&l->client, 1000);
		histogram_add(&l->firsts, clock_now_ns() - start);
		client_close(&l->client, i * 7919);
	}
	l->seconds = since(begin);
}

static void
run(struct load *l)
{
	const struct options *o = l->options;
	int64_t start = clock_now_ns();

	look(l, BEFORE);
	if (o->firsts > 0) {
		run_firsts(l);
	} else if (o->events > 0) {
		run_return(l);
	} else {
		client_open_all(&l->client);
		l->open_s = since(start);
		client_read_for(&l->client, o->settle_s);
		look(l, OPEN);
		client_read_for(&l->client, o->idle_s);
		look(l, IDLE);
		if (o->publisher.rate > 0) {
			start = clock_now_ns();
			publish(l);
			l->seconds = since(start);
		}
	}
	look(l, END);
}

/* ---- report ---- */

static void
report_times(const char *name, const struct histogram *h)
{
	printf(" %sp50_us=%.1f %sp99_us=%.1f %smax_us=%.1f", name,
	    (double)histogram_quantile(h, 0.5) / 1e3, name,
	    (double)histogram_quantile(h, 0.99) / 1e3, name,
	    (double)h->max / 1e3);
}

/*
 * Of each process: CPU of opening, while idle, and while publishing and after,
 * and in all; memory at the end, taken by opening, by all together, and while
 * streams did not read.
 */
static void
report_process(const struct load *l, int i)
{
	const char *name = l->options->pids[i].name;

	printf(" %s_open_cpu_ms=%lld %s_all_cpu_ms=%lld", name,
	    (long long)(l->use[OPEN][i].cpu_ms - l->use[BEFORE][i].cpu_ms),
	    name,
	    (long long)(l->use[END][i].cpu_ms - l->use[BEFORE][i].cpu_ms));
	printf(" %s_idle_cpu_ms=%lld %s_cpu_ms=%lld %s_kb=%lld"
	       " %s_streams_kb=%lld %s_used_kb=%lld %s_grown_kb=%lld",
	    name, (long long)(l->use[IDLE][i].cpu_ms - l->use[OPEN][i].cpu_ms),
	    name, (long long)(l->use[END][i].cpu_ms - l->use[IDLE][i].cpu_ms),
	    name, (long long)l->use[END][i].pss_kb, name,
	    (long long)(l->use[OPEN][i].pss_kb - l->use[BEFORE][i].pss_kb),
	    name, (long long)(l->use[END][i].pss_kb - l->use[BEFORE][i].pss_kb),
	    name,
	    (long long)(l->use[STALLED][i].pss_kb - l->use[OPEN][i].pss_kb));
}

static void
report(const struct load *l)
{
	const struct reader_totals *t = &l->client.totals;
	struct rusage own;

	(void)getrusage(RUSAGE_SELF, &own); /* cannot fail */
	printf("streams=%lld published=%lld expected=%lld deliveries=%llu"
	       " lost=%llu repeated=%llu broken=%llu closed=%lld done=%lld",
	    (long long)l->client.opened, (long long)l->published,
	    (long long)expected(l), (unsigned long long)t->events,
	    (unsigned long long)t->lost, (unsigned long long)t->repeated,
	    (unsigned long long)t->broken, (long long)l->client.closed,
	    (long long)l->client.done);
	printf(" seconds=%.3f open_s=%.3f drain_s=%.3f per_second=%.0f"
	       " bytes=%llu client_cpu_ms=%lld",
	    l->seconds, l->open_s, l->drain_s,
	    l->seconds > 0 ? (double)t->events / l->seconds : 0.0,
	    (unsigned long long)t->bytes,
	    (long long)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1000 +
		(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1000);
	report_times("", &t->latency);
	report_times("publish_", &l->took);
	report_times("after_", &l->after);
	report_times("first_", &l->firsts);
	for (int i = 0; i < l->options->n_pids; i++)
		report_process(l, i);
	printf("\n");
}

/* No streams: only rows into a log. */
static int
fill(const struct options *o)
{
	static struct histogram took;

	if (publisher_fill(&o->publisher, o->fill, &took) != 0)
		return -1;
	printf("published=%lld seconds=%.3f", (long long)o->fill,
	    (double)took.sum / 1e9);
	report_times("publish_", &took);
	printf("\n");
	return 0;
}

int
main(int argc, char **argv)
{
	static struct load l;
	struct options o;
	struct rlimit limit;

	options_read(argc, argv, &o);
	if (o.fill > 0)
		return fill(&o) != 0;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* then open fails */
	}
	l.options = &o;
	client_init(&l.client, &o);
	run(&l);
	report(&l);
	client_free(&l.client);
	return l.client.totals.lost + l.client.totals.repeated +
	    l.client.totals.broken >
	    0;
}
