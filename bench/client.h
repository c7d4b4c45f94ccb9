#ifndef ROWCAST_BENCH_CLIENT_H
#define ROWCAST_BENCH_CLIENT_H

#include "options.h"
#include "reader.h"

/*
 * Many streams, read by one thread as bytes come.  What cannot be opened ends
 * the process: there is nothing to measure then.
 *   opened   so many have sent the head of a response
 *   done     so many have got all they were to get (options: events)
 *   closed   so many were ended by the other side
 */
struct client {
	struct reader_totals totals;
	int64_t opened;
	int64_t done;
	int64_t closed;
	struct client_private *own;
};

/* Lends o.  Exits if there is no memory. */
void client_init(struct client *c, const struct options *o);
void client_free(struct client *c);

/* Begin stream i, or all of them, reading meanwhile. */
void client_open(struct client *c, int64_t i);
void client_open_all(struct client *c);

/* End stream i. */
void client_close(struct client *c, int64_t i);

/* Read what comes: once, waiting at most so long; or for so long. */
void client_read(struct client *c, int timeout_ms);
void client_read_for(struct client *c, double seconds);

/* Streams do not read, or read again. */
void client_stall(struct client *c, bool on);

#endif
