#ifndef ROWCAST_SERVER_PRIVATE_H
#define ROWCAST_SERVER_PRIVATE_H

/*
 * Private to server.c, the process as a whole, and client.c, its requests.
 */

#include <sys/queue.h>

#include <uv.h>

#include "lib/fastcgi/connections.h"
#include "lib/loop/fine_timer.h"
#include "commit.h"
#include "publish.h"

/* A request and the connection that it came over. */
struct client {
	TAILQ_ENTRY(client) all;
	TAILQ_ENTRY(client) link; /* waiting to be appended, or for the end */
	struct server *server;
	struct connection *connection;
	struct publish *publish;
	int64_t since_ms; /* waiting since */
	bool is_waiting;  /* to be appended */
	bool is_refused;  /* waiting for the end of its body, to be told so */
};

TAILQ_HEAD(client_list, client);

struct server {
	uv_loop_t *loop;
	const struct publisher_config *config;
	struct connections *connections;
	struct commit *commit;
	struct log_json *json;
	struct client_list all;
	struct client_list waiting;
	struct client_list refused;
	size_t n_waiting;
	size_t expected;          /* so many may be there soon */
	bool is_held;             /* a group waits for others; and ... */
	bool is_due;              /* has waited long enough */
	uint64_t commit_ns;       /* the last commit took */
	uv_check_t group;         /* after each round of reading */
	uv_idle_t more;           /* a group is due: no sleep before it */
	struct fine_timer *first; /* the first has waited for the others */
	uv_timer_t again;         /* other programs are writing */
	uv_timer_t patience;      /* with those who are refused */
	bool is_ending;
	struct {
		uint64_t requests;
		uint64_t groups;
		uint64_t appended; /* requests, or pieces of streamed ones */
		uint64_t locked;   /* times that others were writing */
	} counters;
};

/* What the connections tell of requests. */
extern const struct connection_handler client_handler;

/* After each round of reading: append for those who wait. */
void client_on_group(uv_check_t *check);
void client_on_first(void *cookie); /* they have waited for others */

/* The publisher ends: those whose body is still coming are told, the others get
   their answer. */
void client_end_all(struct server *s);
void client_give_up_all(struct server *s); /* who still waits for others */

void client_free(struct client *c);

#endif
