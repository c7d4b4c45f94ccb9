#ifndef ROWCAST_ORACLE_CLIENT_H
#define ROWCAST_ORACLE_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <uv.h>

/*
 * A client that behaves like EventSource: it parses the stream by the standard,
 * reconnects after the reconnection time when the connection ends or fails, and
 * sends the last id it has seen.  Unlike a browser it also reconnects after a
 * refusal, and records it.
 *
 * Each thing that happens is one line of the record, with tabs between columns:
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
	int64_t churn_ms; /* mean time until it disconnects; 0: it stays */
	int64_t stall_ms; /* time from connecting until it begins to read */
	int64_t pause_ms; /* between two reads of 256 bytes; 0: no pauses */
};

/* Shared by all clients; must outlive them. */
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
	int64_t n_open; /* clients whose stream has told its first id */
	int64_t n_done; /* clients that have received the last event */
};

struct client {
	struct client_world *world;
	struct client_private *own;
};

/*
 * Creates a client and starts to connect.  Ends the process if out of memory.
 *   query   the query of its requests, "" or "a=b&c=d"; must outlive the client
 *   id      its last event id from an earlier run; -1: none
 */
void client_new(struct client *c, struct client_world *world, int64_t number,
    const char *query, int64_t id, const struct client_manner *manner);

/* Closes the client; its memory is freed when the loop has run. */
void client_end(struct client *c);

/* Disconnects, and reconnects at once. */
void client_leave(struct client *c);

/* Returns the last event id, -1 if there is none. */
int64_t client_id(const struct client *c);

/* Returns whether it has received the last event. */
bool client_is_done(const struct client *c);

/* Returns a random number below n; n > 0. */
uint64_t client_random(struct client_world *world, uint64_t n);

#endif
