/*
 * The command line of the load client.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option names[] = {
	{ "target", 1, NULL, 't' },
	{ "query", 1, NULL, 'q' },
	{ "queries", 1, NULL, 'Q' },
	{ "streams", 1, NULL, 'n' },
	{ "topics", 1, NULL, 'k' },
	{ "after", 1, NULL, 'a' },
	{ "spread", 1, NULL, 'w' },
	{ "stride", 1, NULL, 'S' },
	{ "events", 1, NULL, 'e' },
	{ "opening", 1, NULL, 'O' },
	{ "firsts", 1, NULL, 'f' },
	{ "settle", 1, NULL, 'c' },
	{ "idle", 1, NULL, 'i' },
	{ "stall", 1, NULL, 'h' },
	{ "prefix", 1, NULL, 'x' },
	{ "bulk-rows", 1, NULL, 'R' },
	{ "bulk-size", 1, NULL, 'Z' },
	{ "bulk-topics", 1, NULL, 'K' },
	{ "timeout", 1, NULL, 'T' },
	{ "pid", 1, NULL, 'p' },
	{ "db", 1, NULL, 'd' },
	{ "fill", 1, NULL, 'F' },
	{ "page", 1, NULL, 'g' },
	{ "post", 1, NULL, 'P' },
	{ "before", 1, NULL, 'b' },
	{ "behind", 1, NULL, 'B' },
	{ "topic", 1, NULL, 'o' },
	{ "rate", 1, NULL, 'r' },
	{ "seconds", 1, NULL, 's' },
	{ "size", 1, NULL, 'z' },
	{ "first-seq", 1, NULL, '1' },
	{ "no-sync", 0, NULL, 'y' },
	{ NULL, 0, NULL, 0 },
};

static void __attribute__((noreturn)) usage(void)
{
	fprintf(stderr,
	    "usage: load --target http://HOST:PORT/PATH|fcgi:SOCKET\n"
	    "\t[--streams N] [--query Q] [--queries FILE] [--topics N]\n"
	    "\t[--pid NAME=PID]...\n"
	    "\t[--after ID] [--spread N] [--stride N]\n"
	    "\t[--events N | --firsts N]\n"
	    "\t[--opening N]\n"
	    "\t[--settle S] [--idle S] [--stall S] [--timeout S] [--prefix P]\n"
	    "\t[--db LOG [--no-sync]"
	    " | --post URL [--before TEXT] [--behind TEXT]]\n"
	    "\t[--topic TOPIC] [--rate R] [--seconds S] [--size BYTES]\n"
	    "\t[--first-seq N]"
	    " [--bulk-rows N --bulk-size BYTES --bulk-topics N]\n"
	    "       load --db LOG --fill N [--topic TOPIC | --topics N]\n"
	    "\t[--size BYTES] [--first-seq N] [--page ROWS] [--no-sync]\n");
	exit(2);
}

static void
add_pid(struct options *o, const char *text)
{
	const char *sign = strchr(text, '=');
	size_t len = sign != NULL ? (size_t)(sign - text) : 0;

	if (o->n_pids == OPTIONS_PIDS_MAX || len == 0 ||
	    len >= sizeof(o->pids[0].name))
		usage();
	memcpy(o->pids[o->n_pids].name, text, len);
	o->pids[o->n_pids++].pid = (pid_t)strtol(sign + 1, NULL, 10);
}

static void
read_queries(struct options *o, const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t capacity = 0;

	while (file != NULL && getline(&line, &capacity, file) > 0) {
		char **queries = reallocarray(o->queries,
		    (size_t)o->n_queries + 1, sizeof(*queries));

		if (queries == NULL)
			break;
		o->queries = queries;
		line[strcspn(line, "\n")] = '\0';
		queries[o->n_queries++] = line;
		line = NULL;
	}
	if (o->n_queries > 0)
		return;
	fprintf(stderr, "load: %s: no queries\n", path);
	exit(2);
}

static double
number(const char *text)
{
	char *end;
	double d;

	errno = 0;
	d = strtod(text, &end);
	if (end == text || *end != '\0' || errno != 0 || d < 0)
		usage();
	return d;
}

static int64_t
whole(const char *text)
{
	return (int64_t)number(text);
}

/* What is text, or about publishing. */
static bool
take_text(int name, const char *value, struct options *o)
{
	struct publisher_options *p = &o->publisher;

	switch (name) {
	case 't':
		if (target_parse(value, &o->target) != 0)
			usage();
		return true;
	case 'p':
		add_pid(o, value);
		return true;
	case 'Q':
		read_queries(o, value);
		return true;
	case 'x':
		return (o->prefix = value) != NULL;
	case 'q':
		return (o->query = value) != NULL;
	case 'd':
		return (p->db = value) != NULL;
	case 'P':
		return (p->post = value) != NULL;
	case 'b':
		return (p->before = value) != NULL;
	case 'B':
		return (p->after = value) != NULL;
	case 'y':
		return p->no_sync = true;
	case 'o':
		return (p->topic = value) != NULL;
	default:
		return false;
	}
}

static void
take_number(int name, const char *value, struct options *o)
{
	struct {
		int name;
		double *real;
		int64_t *whole;
	} numbers[] = {
		{ 'n', NULL, &o->streams },
		{ 'k', NULL, &o->topics },
		{ 'a', NULL, &o->after },
		{ 'w', NULL, &o->spread },
		{ 'S', NULL, &o->stride },
		{ 'e', NULL, &o->events },
		{ 'f', NULL, &o->firsts },
		{ 'R', NULL, &o->publisher.bulk_rows },
		{ 'K', NULL, &o->publisher.bulk_topics },
		{ 'O', NULL, &o->opening },
		{ 'F', NULL, &o->fill },
		{ 'g', NULL, &o->publisher.fill_page },
		{ '1', NULL, &o->publisher.first_seq },
		{ 'c', &o->settle_s, NULL },
		{ 'i', &o->idle_s, NULL },
		{ 'h', &o->stall_s, NULL },
		{ 'T', &o->timeout_s, NULL },
		{ 'r', &o->publisher.rate, NULL },
		{ 's', &o->publisher.seconds, NULL },
	};

	if (name == 'z' || name == 'Z') {
		*(name == 'z' ? &o->publisher.size : &o->publisher.bulk_size) =
		    (size_t)whole(value);
		return;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i].name != name)
			continue;
		if (numbers[i].real != NULL)
			*numbers[i].real = number(value);
		else
			*numbers[i].whole = whole(value);
		return;
	}
	usage();
}

void
options_read(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){
		.query = "",
		.prefix = "t",
		.streams = 1,
		.after = -1,
		.opening = 256,
		.spread = 1,
		.stride = 1,
		.timeout_s = 60,
		.publisher = { .before = "",
		    .after = "",
		    .topic = "",
		    .seconds = 5,
		    .size = 100,
		    .fill_page = 2000 },
	};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (c == '?' || !take_text(c, optarg, o))
			take_number(c, optarg, o);
	o->publisher.topics = o->topics;
	if (optind != argc || o->spread < 1 || o->publisher.fill_page < 1 ||
	    (o->fill > 0 ? o->publisher.db == NULL : o->target.path[0] == '\0'))
		usage();
}
