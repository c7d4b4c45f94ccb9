#ifndef ROWCAST_BENCH_CLIENT_H
#define ROWCAST_BENCH_CLIENT_H

#include "options.h"
#include "reader.h"

/*
 * Many streams, read by one thread.  A stream that cannot be opened ends the
 * process, as the measurement would be wrong.
 *   opened   streams that have received the head of a response
 *   done     streams that have received all their events (options: events)
 *   closed   streams that the server has ended
 */
struct client {
	struct reader_totals totals;
	int64_t opened;
	int64_t done;
	int64_t closed;
	struct client_private *own;
};

/* o must outlive the client.  Exits if out of memory. */
void client_init(struct client *c, const struct options *o);
void client_free(struct client *c);

/* Opens stream i, or all of them; reads from open ones meanwhile. */
void client_open(struct client *c, int64_t i);
void client_open_all(struct client *c);

/* Closes stream i. */
void client_close(struct client *c, int64_t i);

/* Reads from all streams: once, waiting at most timeout_ms; or for seconds. */
void client_read(struct client *c, int timeout_ms);
void client_read_for(struct client *c, double seconds);

/* Stops reading from all streams (on), or reads again. */
void client_stall(struct client *c, bool on);

#endif
