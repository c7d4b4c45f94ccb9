#ifndef ROWCAST_BATCH_H
#define ROWCAST_BATCH_H

#include <sys/uio.h>

#include "lib/fastcgi/connection.h"
#include "lib/filter.h"
#include "chunk.h"

/*
 * One record in the making: what is said to a client, then events after its
 * cursor.  It borrows the events' bytes from the chunk they lie in.
 *   pieces    for connection_send(); pieces[0] is left free
 *   n         pieces so far, at first 1
 *   len       bytes in them
 *   cursor    where the client will be once the record is sent: events up to
 *             this id are sent or passed
 *   told      the last id that the client will know
 *   part      so many bytes of the event part_id, which has part_len, will be
 *             sent; 0: none is begun
 *   notices   of the maker: what the text says
 */
#define BATCH_TEXT_MAX 2048
struct batch {
	struct iovec pieces[CONNECTION_PIECES_MAX];
	int n;
	size_t len;
	int64_t cursor;
	int64_t told;
	int64_t part_id;
	size_t part_len;
	size_t part;
	unsigned notices;
	char text[BATCH_TEXT_MAX];
	size_t text_len;
};

enum batch_result {
	BATCH_MORE,    /* there is more behind it */
	BATCH_ALL,     /* that is all there is */
	BATCH_TROUBLE, /* it could not be read */
	BATCH_BROKEN,  /* the rest of the event that was begun will not come */
};

/* Add to the text, which goes before all events. */
void batch_say(struct batch *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The text is complete. */
void batch_add_text(struct batch *b);

/*
 * Add the events of a chunk that come after the cursor and pass a filter, as
 * many as go into the record; of an event that is larger than any record, the
 * part that does.  The rest of one that was begun goes alone: whether others are
 * gone behind it is looked at between events.
 *   returns  BATCH_MORE or BATCH_BROKEN
 */
enum batch_result batch_add_events(struct batch *b, const struct filter *f,
    const struct chunk *c);

#endif
