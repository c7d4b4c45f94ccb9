#ifndef ROWCAST_ORACLE_CLIENT_H
#define ROWCAST_ORACLE_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <uv.h>

/*
 * A client that does what EventSource does: it reads the stream as the standard
 * says, comes back after the reconnection time when the connection has ended or
 * could not be made, and then sends the last id it has seen.  Unlike a browser
 * it also comes back after a refusal, which is written down.
 *
 * What happens to it goes to the record, a line each, columns between tabs:
 *
 *     CLIENT CONNECTION KIND A B NAME DATA
 *
 *     open     A: the id that the stream begins at
 *     event    A: its id; NAME; DATA in hex
 *     gap      A, B: after and next of a stream-gap
 *     reset    A, B: after and head of a stream-reset
 *     refused  A: the HTTP status, 0 for what is no event stream
 *     close
 */
struct client_manner {
	int64_t churn_ms; /* leaves by itself, after about so long; 0: stays */
	int64_t stall_ms; /* reads nothing for so long once it has connected */
	int64_t pause_ms; /* between two reads of 256 bytes; 0: reads at once */
};

/* What all clients have in common; lent to each for as long as it lives. */
struct client_world {
	uv_loop_t *loop;
	struct sockaddr_in server;
	char host[64]; /* HOST:PORT */
	char path[256];
	const char *until;      /* the name of the event that is the last one */
	const char *until_data; /* and its data; NULL: whatever it holds */
	FILE *record;
	uint64_t random; /* state of client_random() */
	int64_t connections;
	int64_t events;
	int64_t gaps;
	int64_t resets;
	int64_t refused;
	int64_t failed; /* connections that could not be made */
	int64_t n_open; /* clients that know where they are */
	int64_t n_done; /* clients that have got the last event */
};

struct client {
	struct client_world *world;
	struct client_private *own;
};

/*
 * A client, about to connect.  Ends the process if memory is short.
 *   query   of the request, "" or "a=b&c=d"; lent
 *   id      the last event id that it has from before; -1: none
 */
void client_new(struct client *c, struct client_world *world, int64_t number,
    const char *query, int64_t id, const struct client_manner *manner);

/* Close what is open; memory goes once the loop has run. */
void client_end(struct client *c);

/* Leave and come back at once. */
void client_leave(struct client *c);

/* The last event id, -1 if there is none. */
int64_t client_id(const struct client *c);

/* Has it got the last event? */
bool client_is_done(const struct client *c);

/* Below n; n > 0. */
uint64_t client_random(struct client_world *world, uint64_t n);

#endif
