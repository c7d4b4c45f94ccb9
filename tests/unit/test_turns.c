/*
 * turns: how much a responder does for its streams in one round of the loop,
 * counted in rows read and streams served.
 */
#include "hubs.h"

#include <sqlite3.h>

#include "fcgi/page.h"

#define CLIENTS 100
#define ROWS 50000 /* before the test's own */
#define KEEP 4096  /* bytes of each client */

static struct client clients[CLIENTS];
static struct client extra;
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

static int
receive_all(void)
{
	int n = 0;

	for (int i = 0; i < CLIENTS; i++)
		n += receive(&clients[i]);
	return n;
}

static void
stop_all(void)
{
	stop();
	for (int i = 0; i < CLIENTS; i++)
		leave(&clients[i]);
	leave(&extra);
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
	start(65536);
	for (int i = 0; i < CLIENTS; i++)
		ask(&clients[i], "", (int64_t)i * (ROWS / CLIENTS / 2), KEEP);
	for (int i = 0; i < 4 * CLIENTS; i++)
		go_round();
}

/* ---- streams that are behind ---- */

static void
check_replays(void)
{
	uint64_t rows, most = 0;
	int served = 0, n, n_most = 0;

	start_replays();
	for (int i = 0; i < 5 * CLIENTS; i++) {
		n = receive_all(); /* now all are writable at once */
		if (i > 0 && n > n_most)
			n_most = n;
		served += n;
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
	check(n_most <= 8, "a round sends to few of them: %d", n_most);
	(void)receive_all();
	ask(&extra, "", -1, KEEP);
	check(rounds_until_served(&extra) <= 4,
	    "a new stream does not wait for those that are behind");
	(void)receive_all();
	ask(&extra, "", 10, KEEP);
	check(rounds_until_served(&extra) <= 4,
	    "nor does one that reconnects from an old id");
	stop_all();
}

static void
check_live(void)
{
	uint64_t rows;

	start_replays();
	ask(&extra, "", -1, KEEP);
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
	stop_all();
}

/* ---- new streams ---- */

static void
check_arrivals(void)
{
	int rounds = 0, served = 0;

	fill_log();
	(void)sqlite3_auto_extension((void (*)(void))on_open);
	start(65536);
	sqlite3_reset_auto_extension();
	sql("INSERT INTO events(data) VALUES('before');");
	for (int i = 0; i < CLIENTS; i++)
		ask(&clients[i], "", -1, KEEP);
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
		served += has(&clients[i], TEXT("\nid: 50001\n")) &&
		    !has(&clients[i], TEXT("before"));
	check(served == CLIENTS, "they begin after what was committed before");
	stop_all();
}

/* New streams that each read a page, while another stream is behind. */
static void
check_firsts(void)
{
	uint64_t rows, most = 0;
	int rounds = 0;

	fill_log();
	start(65536);
	ask(&extra, "", 0, KEEP);
	(void)rounds_until_served(&extra);
	for (int i = 0; i < 5; i++)
		go_round();
	for (int i = 0; i < CLIENTS; i++)
		ask(&clients[i], "", (int64_t)i * (ROWS / CLIENTS / 2), KEEP);
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
	stop_all();
}

/* ---- all at once ---- */

static void
check_end(void)
{
	int served = 0, rounds = 0;

	log_close(new_log());
	start(65536);
	for (int i = 0; i < CLIENTS; i++)
		ask(&clients[i], "", -1, KEEP);
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
	stop_all();
}

int
main(void)
{
	if (!begin())
		return 0;
	if (libfcgi_init() != 0)
		abort();
	check_replays();
	check_live();
	check_arrivals();
	check_firsts();
	check_end();
	return end();
}
