#ifndef ROWCAST_PLACE_H
#define ROWCAST_PLACE_H

#include <sys/queue.h>

#include <stddef.h>

/*
 * Where a stream stands.  It is part of the stream, which saves an allocation,
 * but only the roster writes it.
 */
enum standing {
	STANDING_NOWHERE,
	STANDING_LIVE,   /* has been sent all there is; is in its feed's list */
	STANDING_QUEUED, /* is behind and waits for its turn */
	STANDING_BLOCKED, /* waits for its socket */
	STANDING_STUCK,   /* waits until the log can be read again */
};

struct place {
	TAILQ_ENTRY(place) all;
	TAILQ_ENTRY(place) line; /* queued or stuck */
	struct stream *stream;
	enum standing standing;
	size_t live_at; /* index in its feed's list */
};

#endif
