/*
 * turns: how much a responder does for its streams in one round of the loop,
 * counted in rows read and streams served.
 */
#include "logs.h"
#include "records.h"

#include <sys/socket.h>

#include <sqlite3.h>

#include "fcgi/hub.h"
#include "fcgi/page.h"

#define CLIENTS 100
#define ROWS 50000 /* before the test's own */
#define ROUNDS_MAX 100000

/* A web server's end of one stream. */
struct client {
	int fd;
	size_t got;
	char bytes[4096]; /* the first of them */
};

static struct client clients[CLIENTS];
static struct client extra;
static struct source *source;
static struct hub *hub;
static uv_loop_t loop;
static size_t looks; /* statements that ask whether the log has changed */

static int
on_statement(unsigned type, void *cookie, void *statement, void *text)
{
	(void)type;
	(void)cookie;
	(void)statement;
	if (strstr(text, "data_version") != NULL)
		looks++;
	return 0;
}

static int
on_open(sqlite3 *db, char **reason, const struct sqlite3_api_routines *api)
{
	(void)reason;
	(void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, on_statement, NULL);
}

static void
start(void)
{
	static struct responder_config config;
	char reason[SOURCE_WHY_MAX];

	config = (struct responder_config){ .db = path,
		.keepalive_ms = 60000,
		.retry_ms = 3000,
		.max_age_ms = 3600000,
		.stall_ms = 60000,
		.request_timeout_ms = 60000,
		.max_streams = 2 * CLIENTS,
		.shutdown_retry_ms = 1000,
		.tail_bytes = 65536,
		.replay_bytes = 65536 };
	(void)sqlite3_auto_extension((void (*)(void))on_open);
	if (uv_loop_init(&loop) != 0 ||
	    (source = source_new(&config, reason)) == NULL ||
	    (hub = hub_new(&loop, &config, source)) == NULL)
		abort();
	sqlite3_reset_auto_extension();
}

static void
stop(void)
{
	hub_free(hub);
	for (int i = 0; i < CLIENTS; i++) {
		if (clients[i].fd >= 0)
			(void)close(clients[i].fd);
		clients[i].fd = -1;
	}
	if (extra.fd >= 0)
		(void)close(extra.fd);
	extra.fd = -1;
	while (uv_loop_close(&loop) != 0)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
}

/* Send a request; id is the Last-Event-ID, or -1 for none. */
static void
ask(struct client *c, int64_t id)
{
	static struct bytes params, request;
	int fds[2], room = 4608;
	char text[32];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) != 0)
		abort();
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	params.len = 0;
	put_pair(&params, TEXT("REQUEST_METHOD"), TEXT("GET"), false);
	put_pair(&params, TEXT("QUERY_STRING"), TEXT(""), false);
	if (id >= 0) {
		(void)snprintf(text, sizeof(text), "%" PRId64, id);
		put_pair(&params, TEXT("HTTP_LAST_EVENT_ID"), string(text),
		    false);
	}
	put_request(&request, &params);
	*c = (struct client){ .fd = fds[0] };
	if (connection_open(hub_connections(hub), fds[1]) != 0 ||
	    write(c->fd, request.b, request.len) != (ssize_t)request.len)
		abort();
}

/* Receive all there is; returns whether there was anything. */
static bool
receive(struct client *c)
{
	size_t before = c->got;
	char bytes[65536];
	ssize_t n;

	while ((n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		size_t room = sizeof(c->bytes) - 1;

		if (c->got < room)
			memcpy(c->bytes + c->got, bytes,
			    (size_t)n < room - c->got ? (size_t)n :
							room - c->got);
		c->got += (size_t)n;
	}
	return c->got > before;
}

static int
receive_all(void)
{
	int n = 0;

	for (int i = 0; i < CLIENTS; i++)
		n += clients[i].fd >= 0 && receive(&clients[i]);
	return n;
}

static bool
has(const struct client *c, const char *text)
{
	size_t len = c->got < sizeof(c->bytes) ? c->got : sizeof(c->bytes);

	return memmem(c->bytes, len, text, strlen(text)) != NULL;
}

/* One round of the loop, which does not wait. */
static void
go_round(void)
{
	(void)uv_run(&loop, UV_RUN_NOWAIT);
}

/* Rounds until a client has received something. */
static int
rounds_until_served(struct client *c)
{
	int rounds = 0;

	while (!receive(c) && rounds < ROUNDS_MAX) {
		go_round();
		rounds++;
	}
	return rounds;
}

static void
fill_log(void)
{
	char text[256];

	log_close(new_log());
	(void)snprintf(text, sizeof(text),
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < %d) INSERT INTO events(data)"
	    " SELECT printf('%%0100d', i) FROM n;",
	    ROWS);
	sql(text);
}

/* All clients replay, each from a place of its own, and none reads. */
static void
start_replays(void)
{
	fill_log();
	start();
	for (int i = 0; i < CLIENTS; i++)
		ask(&clients[i], (int64_t)i * (ROWS / CLIENTS / 2));
	for (int i = 0; i < 4 * CLIENTS; i++)
		go_round();
}

/* ---- streams that are behind ---- */

static void
check_replays(void)
{
	uint64_t rows, most = 0;
	int served = 0;

	start_replays();
	for (int i = 0; i < 5 * CLIENTS; i++) {
		served += receive_all(); /* all are writable at once */
		rows = source_rows(source);
		go_round();
		rows = source_rows(source) - rows;
		if (rows > most)
			most = rows;
	}
	check(served > CLIENTS, "streams that are behind go on");
	check(most > 0 && most <= PAGE_ROWS + 1,
	    "in each round at most one of them reads a page: %d rows",
	    (int)most);
	(void)receive_all();
	ask(&extra, -1);
	check(rounds_until_served(&extra) <= 4,
	    "a new stream does not wait for those that are behind");
	(void)receive_all();
	ask(&extra, 10);
	check(rounds_until_served(&extra) <= 4,
	    "nor does one that reconnects from an old id");
	stop();
}

static void
check_live(void)
{
	uint64_t rows;

	start_replays();
	ask(&extra, -1);
	(void)rounds_until_served(&extra);
	for (int i = 0; i < 10; i++)
		go_round();
	sql("INSERT INTO events(data) VALUES('new');");
	(void)receive_all();
	(void)receive(&extra);
	rows = source_rows(source);
	(void)hub_look(hub);
	check(source_rows(source) - rows == 1 && receive(&extra),
	    "a look serves a live stream, and gives no other one a turn");
	stop();
}

/* ---- new streams ---- */

static void
check_arrivals(void)
{
	int rounds = 0, served = 0;

	fill_log();
	start();
	sql("INSERT INTO events(data) VALUES('before');");
	for (int i = 0; i < CLIENTS; i++)
		ask(&clients[i], -1);
	looks = 0;
	while (served < CLIENTS && rounds++ < ROUNDS_MAX) {
		go_round();
		served += receive_all();
	}
	check(rounds <= 6, "%d new streams are served in %d rounds", CLIENTS,
	    rounds);
	check(looks <= 6, "with one look in each round that new ones came: %d",
	    (int)looks);
	for (int i = served = 0; i < CLIENTS; i++)
		served += has(&clients[i], "\nid: 50001\n") &&
		    !has(&clients[i], "before");
	check(served == CLIENTS, "they begin after what was committed before");
	stop();
}

/* New streams that each read a page, while another stream is behind. */
static void
check_firsts(void)
{
	uint64_t rows, most = 0;
	int rounds = 0;

	fill_log();
	start();
	ask(&extra, 0);
	(void)rounds_until_served(&extra);
	for (int i = 0; i < 5; i++)
		go_round();
	for (int i = 0; i < CLIENTS; i++)
		ask(&clients[i], (int64_t)i * (ROWS / CLIENTS / 2));
	while (receive_all() == 0)
		go_round();
	for (; !receive(&extra) && rounds < ROUNDS_MAX; rounds++)
		;
	while (!receive(&extra) && rounds < ROUNDS_MAX) {
		rows = source_rows(source);
		go_round();
		rows = source_rows(source) - rows;
		most = rows > most ? rows : most;
		rounds++;
	}
	check(most <= PAGE_ROWS + 1, "of new streams, one reads in a round");
	check(rounds <= CLIENTS / 2, "they do not keep the others from theirs");
	stop();
}

/* ---- all at once ---- */

static void
check_end(void)
{
	int served = 0, rounds = 0;

	log_close(new_log());
	start();
	for (int i = 0; i < CLIENTS; i++)
		ask(&clients[i], -1);
	for (int i = 0; i < CLIENTS; i++)
		go_round();
	(void)receive_all();
	hub_end(hub);
	check(receive_all() == 0, "no stream has a turn when the end begins");
	while (served < CLIENTS && rounds++ < ROUNDS_MAX) {
		go_round();
		served += receive_all();
	}
	check(rounds > 1 && rounds <= 6, "all end in %d rounds", rounds);
	stop();
}

int
main(void)
{
	if (!begin())
		return 0;
	if (libfcgi_init() != 0)
		abort();
	extra.fd = -1;
	for (int i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
	check_replays();
	check_live();
	check_arrivals();
	check_firsts();
	check_end();
	return end();
}
