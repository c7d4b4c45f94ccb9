#ifndef ROWCAST_BATCH_H
#define ROWCAST_BATCH_H

#include <sys/uio.h>

#include "lib/fastcgi/connection.h"
#include "lib/fastcgi/records.h"
#include "lib/filter.h"
#include "chunk.h"

/*
 * Where a client is in the log.
 *   cursor    all events up to this id were sent or passed over
 *   last_id   the client's last event id
 *   part      this many bytes of the event part_id, which has part_len, were
 *             sent; 0 between events.  If it is huge, both count its data
 */
struct position {
	int64_t cursor;
	int64_t last_id;
	int64_t part_id;
	size_t part_len;
	size_t part;
};

/*
 * One record in the making: text for a client, then events after its cursor.
 * It borrows the events' bytes from the chunk they lie in, but encodes those of
 * a huge event.
 *   pieces    for connection_send(); pieces[0] is left free
 *   n, len    pieces so far, at first 1, and bytes in them
 *   at        where the client is once the record has been sent
 *   notices   bits of enum notice: those in the text
 */
#define BATCH_TEXT_MAX 2048
struct batch {
	struct iovec pieces[CONNECTION_PIECES_MAX];
	int n;
	size_t len;
	struct position at;
	unsigned notices;
	char text[BATCH_TEXT_MAX];
	size_t text_len;
	char huge[RECORDS_CONTENT_MAX];
};

enum batch_result {
	BATCH_MORE,    /* there is more to send */
	BATCH_ALL,     /* that is all there is */
	BATCH_TROUBLE, /* the log could not be read */
	BATCH_BROKEN,  /* the rest of the event that was begun is gone */
};

/* Begin a record for a client at a position. */
void batch_begin(struct batch *b, const struct position *at);

/* Append to the text.  Call this before any event is added. */
void batch_say(struct batch *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Add the events of a chunk that come after the cursor and pass a filter, as
 * many as the record has room for.  Of an event that is larger than any record,
 * add the part that fits.  The rest of such an event goes alone, because gaps
 * are looked for only between events.
 *   returns  BATCH_MORE or BATCH_BROKEN
 */
enum batch_result batch_add_events(struct batch *b, const struct filter *f,
    const struct chunk *c);

#endif
