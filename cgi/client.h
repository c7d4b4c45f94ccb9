#ifndef ROWCAST_CLIENT_H
#define ROWCAST_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "lib/fastcgi/connection.h"
#include "group.h"

/*
 * The requests of a publisher that serves many: each becomes a struct publish,
 * joins the group, and is answered.
 */
struct client;

/* All requests of a process.  Only client.c writes it; the struct is visible
   because its handles must outlive it until the loop has closed them. */
struct clients {
	uv_loop_t *loop;
	const struct publisher_config *config;
	struct log *json;
	struct connections *connections;
	struct group group;
	struct client *all;
	bool is_ending;
	uint64_t n_requests;
};

/*
 * Make the connections and wait for requests.
 *   returns  0; -1 if out of memory or descriptors
 *   owns     end with clients_close(), also after -1.  Borrows loop, config,
 *            commit and json
 */
int clients_open(struct clients *cs, uv_loop_t *loop,
    const struct publisher_config *config, struct commit *commit,
    struct log *json);

/* The process ends: answer the requests whose body is still arriving with 503,
   the others as soon as they are appended. */
void clients_end(struct clients *cs);

/*
 * Answer all that are left, and close.  The struct must stay until the loop has
 * closed its handles.  Does nothing if cs is all zero.
 */
void clients_close(struct clients *cs);

#endif
