/*
 * clients: many clients that behave like EventSource, and a record of what each
 * of them received.  tests/oracle.bash runs it, verify.sql checks the record.
 *
 *   usage: clients [OPTION…] URL RECORD QUERY…
 *
 * The clients take the queries in turn.  Prints "ready" when each stream has
 * told its first id.  Ends when each client has received an event named --until
 * (status 0), after --timeout-s (status 1), or at SIGTERM (status 0).  The last
 * line holds the counters.  At SIGUSR1 all clients reconnect at once.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define RECORD_BUFFER (1 << 20)
#define TICK_MS 20

static const char usage[] =
    "usage: clients [OPTION…] URL RECORD QUERY…\n"
    "  --clients N     so many (100)\n"
    "  --until NAME    the event that is the last one (mark)\n"
    "  --until-data T  what that event holds (anything)\n"
    "  --timeout-s S   give up after so long (120)\n"
    "  --seed N        of all that is random (1)\n"
    "  --resume FILE   where each goes on from: read if it is there, and\n"
    "                  written at the end\n"
    "  --churn N:MS    the first N leave by themselves after about MS\n"
    "  --stall N:MS    the next N read nothing for MS after connecting\n"
    "  --trickle N:MS  the next N read 256 bytes each MS\n";

/* A number of clients with the same manner. */
struct share {
	int64_t n;
	int64_t ms;
};

struct program {
	struct client_world world;
	struct client *clients;
	int64_t n;
	int64_t timeout_s;
	const char *resume;
	struct share churn, stall, trickle;
	int64_t *ids;
	uv_signal_t term;
	uv_signal_t leave;
	uv_timer_t tick;
	uint64_t end_ms;
	bool was_ready;
	int status;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "clients: %s\n%s", what, usage);
	exit(2);
}

static void
read_share(const char *text, struct share *s)
{
	if (sscanf(text, "%" SCNd64 ":%" SCNd64, &s->n, &s->ms) != 2)
		die("N:MS is wanted");
}

static void
read_url(const char *url, struct client_world *w)
{
	char host[48], port[8];

	if (sscanf(url, "http://%47[0-9.]:%7[0-9]%255s", host, port, w->path) !=
		3 ||
	    uv_ip4_addr(host, atoi(port), &w->server) != 0)
		die("URL is http://ADDRESS:PORT/PATH");
	(void)snprintf(w->host, sizeof(w->host), "%s:%s", host, port);
}

static void
read_options(int argc, char **argv, struct program *p)
{
	static const struct option options[] = {
		{ "clients", required_argument, NULL, 'n' },
		{ "until", required_argument, NULL, 'u' },
		{ "until-data", required_argument, NULL, 'd' },
		{ "timeout-s", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "resume", required_argument, NULL, 'r' },
		{ "churn", required_argument, NULL, 'c' },
		{ "stall", required_argument, NULL, 'l' },
		{ "trickle", required_argument, NULL, 'k' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			p->n = strtoll(optarg, NULL, 10);
			break;
		case 'u':
			p->world.until = optarg;
			break;
		case 'd':
			p->world.until_data = optarg;
			break;
		case 't':
			p->timeout_s = strtoll(optarg, NULL, 10);
			break;
		case 's':
			p->world.random = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			p->resume = optarg;
			break;
		case 'c':
			read_share(optarg, &p->churn);
			break;
		case 'l':
			read_share(optarg, &p->stall);
			break;
		case 'k':
			read_share(optarg, &p->trickle);
			break;
		default:
			die("no such option");
		}
	}
	if (argc - optind < 3 || p->n < 1)
		die("URL, RECORD and a QUERY are wanted");
}

/* ---- last event ids of an earlier run ------------------------------------ */

static void
read_ids(struct program *p)
{
	int64_t client, id;
	FILE *f;

	p->ids = malloc((size_t)p->n * sizeof(*p->ids));
	if (p->ids == NULL)
		die("out of memory");
	for (int64_t i = 0; i < p->n; i++)
		p->ids[i] = -1;
	f = p->resume != NULL ? fopen(p->resume, "re") : NULL;
	if (f == NULL)
		return;
	while (fscanf(f, "%" SCNd64 "\t%" SCNd64 "\n", &client, &id) == 2)
		if (client >= 0 && client < p->n)
			p->ids[client] = id;
	(void)fclose(f);
}

static void
write_ids(const struct program *p)
{
	FILE *f = p->resume != NULL ? fopen(p->resume, "we") : NULL;

	if (f == NULL)
		return;
	for (int64_t i = 0; i < p->n; i++)
		if (client_id(&p->clients[i]) >= 0)
			fprintf(f, "%" PRId64 "\t%" PRId64 "\n", i,
			    client_id(&p->clients[i]));
	(void)fclose(f);
}

/* ---- life ---------------------------------------------------------------- */

static void
stop(struct program *p, int status)
{
	p->status = status;
	uv_stop(p->world.loop);
}

static void
on_term(uv_signal_t *handle, int number)
{
	(void)number;
	stop(handle->data, EXIT_SUCCESS);
}

static void
on_leave(uv_signal_t *handle, int number)
{
	struct program *p = handle->data;

	(void)number;
	for (int64_t i = 0; i < p->n; i++)
		client_leave(&p->clients[i]);
}

static void
complain(const struct program *p)
{
	int64_t said = 0;

	for (int64_t i = 0; i < p->n && said < 10; i++)
		if (!client_is_done(&p->clients[i])) {
			fprintf(stderr,
			    "clients: %" PRId64 " is not done, at id %" PRId64
			    "\n",
			    i, client_id(&p->clients[i]));
			said++;
		}
}

static void
on_tick(uv_timer_t *timer)
{
	struct program *p = timer->data;

	if (!p->was_ready && p->world.n_open == p->n) {
		p->was_ready = true;
		puts("ready");
		(void)fflush(stdout);
	}
	if (p->world.n_done == p->n)
		stop(p, EXIT_SUCCESS);
	else if (uv_now(p->world.loop) >= p->end_ms) {
		complain(p);
		stop(p, EXIT_FAILURE);
	}
}

static void
start_clients(struct program *p, char **queries, int64_t n_queries)
{
	p->clients = calloc((size_t)p->n, sizeof(*p->clients));
	if (p->clients == NULL)
		die("out of memory");
	for (int64_t i = 0; i < p->n; i++) {
		struct client_manner manner = { 0 };
		int64_t at = i;

		if (at < p->churn.n)
			manner.churn_ms = p->churn.ms;
		at -= p->churn.n;
		if (at >= 0 && at < p->stall.n)
			manner.stall_ms = p->stall.ms;
		at -= p->stall.n;
		if (at >= 0 && at < p->trickle.n)
			manner.pause_ms = p->trickle.ms;
		client_new(&p->clients[i], &p->world, i, queries[i % n_queries],
		    p->ids[i], &manner);
	}
}

static int
run(struct program *p, char **queries, int64_t n_queries)
{
	const struct client_world *w = &p->world;
	uv_loop_t *loop = w->loop;

	(void)uv_signal_init(loop, &p->term);
	(void)uv_timer_init(loop, &p->tick);
	(void)uv_signal_init(loop, &p->leave);
	p->term.data = p->leave.data = p->tick.data = p;
	(void)uv_signal_start(&p->term, on_term, SIGTERM);
	(void)uv_signal_start(&p->leave, on_leave, SIGUSR1);
	(void)uv_timer_start(&p->tick, on_tick, TICK_MS, TICK_MS);
	p->end_ms = uv_now(loop) + (uint64_t)p->timeout_s * 1000;
	start_clients(p, queries, n_queries);
	(void)uv_run(loop, UV_RUN_DEFAULT);
	write_ids(p);
	for (int64_t i = 0; i < p->n; i++)
		client_end(&p->clients[i]);
	uv_close((uv_handle_t *)&p->term, NULL);
	uv_close((uv_handle_t *)&p->leave, NULL);
	uv_close((uv_handle_t *)&p->tick, NULL);
	(void)uv_run(loop, UV_RUN_DEFAULT);
	printf("clients=%" PRId64 " connections=%" PRId64 " events=%" PRId64
	       " gaps=%" PRId64 " resets=%" PRId64 " refused=%" PRId64
	       " failed=%" PRId64 "\n",
	    p->n, w->connections, w->events, w->gaps, w->resets, w->refused,
	    w->failed);
	return p->status;
}

int
main(int argc, char **argv)
{
	struct program p = {
		.world = { .until = "mark", .random = 1 },
		.n = 100,
		.timeout_s = 120,
	};
	int status;

	(void)signal(SIGPIPE, SIG_IGN);
	read_options(argc, argv, &p);
	read_url(argv[optind], &p.world);
	p.world.record = fopen(argv[optind + 1], "we");
	if (p.world.record == NULL)
		die("the record cannot be written");
	(void)setvbuf(p.world.record, NULL, _IOFBF, RECORD_BUFFER);
	p.world.loop = uv_default_loop();
	read_ids(&p);
	status = run(&p, argv + optind + 2, argc - optind - 2);
	if (fclose(p.world.record) != 0)
		die("the record could not be written");
	free(p.clients);
	free(p.ids);
	(void)uv_loop_close(p.world.loop);
	return status;
}
