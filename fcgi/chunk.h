#ifndef ROWCAST_CHUNK_H
#define ROWCAST_CHUNK_H

#include <stdbool.h>

#include "lib/event.h"

/*
 * A run of encoded events: all events of a part of the log, or all of them that
 * pass some filter, in id order, each encoded once.  Or a part of the data of
 * one huge event, not encoded.  Its bytes never move, so they can be sent from
 * where they lie.
 *   after, upto  it holds the events with after < id <= upto; chunk_add()
 *                raises upto, and so does the owner if no events follow
 *   huge_len     0, or the length of the data of the one event that it is of.
 *                Then bytes[0..len) are not encoded: they are that data from
 *                huge_from on.  retry_ms is that of the event
 */
struct chunk {
	int64_t after;
	int64_t upto;
	size_t n;        /* events */
	size_t len;      /* bytes used by their encodings */
	size_t capacity; /* bytes there is room for */
	struct chunk_entry *entries;
	size_t entries_capacity;
	char *names; /* topics and event names */
	size_t names_len;
	size_t names_capacity;
	size_t huge_len;
	size_t huge_from;
	int64_t retry_ms;
	char bytes[];
};

/*
 *   id          row id
 *   at, len     its encoding is bytes[at..at+len)
 *   names_at    its topic, then its name, begin at names[names_at]
 */
struct chunk_entry {
	int64_t id;
	size_t at;
	size_t len;
	size_t names_at;
	uint32_t topic_len;
	uint32_t name_len;
};

#define CHUNK_BYTES 65535 /* room in an ordinary chunk: one record */

/*
 * Make an empty chunk that begins after an id, with room for CHUNK_BYTES or len
 * bytes of encodings, whichever is more.
 *   returns  NULL if out of memory
 *   owns     the caller frees with chunk_free()
 */
struct chunk *chunk_new(int64_t after, size_t len);
void chunk_free(struct chunk *c); /* c may be NULL */

/* Returns whether there is room for an encoding of len bytes. */
bool chunk_fits(const struct chunk *c, size_t len);

/*
 * Encode an event at the end.
 *   shape    len is sse_len(e) and fits; e->id is above upto
 *   returns  0; -1 if out of memory (chunk unchanged)
 *   voids    pointers to entries and names, not to bytes
 */
int chunk_add(struct chunk *c, const struct event *e, size_t len);

/*
 * Make a chunk for a part of a huge event.  The caller writes bytes[0..len).
 *   shape    e->huge_len > 0; from + len <= e->huge_len
 *   returns  NULL if out of memory
 *   owns     the caller frees with chunk_free(); copies topic and name
 */
struct chunk *chunk_new_part(int64_t after, const struct event *e, size_t from,
    size_t len);

/*
 * Returns whether the data of a huge event can be sent from an offset on: at
 * least two bytes are there, or all that are left.  Of two bytes one can be
 * encoded, even if the first is a CR.
 */
bool chunk_has_part(const struct chunk *c, size_t offset);

/* Remove the events with id > last; upto becomes last. */
void chunk_cut(struct chunk *c, int64_t last);

/* Returns the index of the first event with id > cursor; n if there is none. */
size_t chunk_find(const struct chunk *c, int64_t cursor);

struct text chunk_topic(const struct chunk *c, size_t i);
struct text chunk_name(const struct chunk *c, size_t i);

/* Returns the bytes of memory that it takes. */
size_t chunk_size(const struct chunk *c);

#endif
