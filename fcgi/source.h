#ifndef ROWCAST_SOURCE_H
#define ROWCAST_SOURCE_H

#include "lib/filter.h"
#include "lib/log/seek.h"
#include "chunk.h"
#include "responder_config.h"

/*
 * Where streams read from: the log, with its newest part in memory and with
 * older pages kept for those who come after.  Nothing here waits: what the log
 * cannot say now is SOURCE_TROUBLE, and is asked again later.
 */
struct source;

/*
 * Open the log.
 *   returns  NULL with why set to one line that says what to do
 *   owns     the caller; source_free().  Lends config
 */
#define SOURCE_WHY_MAX 768
struct source *source_new(const struct responder_config *config,
    char why[SOURCE_WHY_MAX]);
void source_free(struct source *src); /* src may be NULL */

/* All events with id <= head have been seen by source_step(). */
int64_t source_head(const struct source *src);

/* How many rows were read from the log, for one reason or another. */
uint64_t source_rows(const struct source *src);

enum source_result {
	SOURCE_OK,
	SOURCE_END,     /* there is no more */
	SOURCE_RESET,   /* the log was replaced or went back; see below */
	SOURCE_TROUBLE, /* the log could not be read: nothing is known */
};

/* ---- new events ---- */

/*
 * Look whether the log has changed, which is cheap, and read the next new
 * events into memory: at most what fits into one record, or one event that is
 * larger than that.
 *   event    is called for each with the chunk that holds it and its index;
 *            what source_chunk() lent stays
 *   removed  is called for each topic of which events were removed before
 *            anybody saw them; topic.bytes is NULL where any may be meant
 *   returns  SOURCE_OK if there may be more, SOURCE_END if not; SOURCE_TROUBLE:
 *            what event was told is void; SOURCE_RESET if the log was replaced
 *            or restored from an older copy: all that was ever read from the
 *            source is void, and source_head() is the end of the log as it is
 *            now
 */
struct source_news {
	void (*event)(void *cookie, const struct chunk *c, size_t i);
	void (*removed)(void *cookie, struct text topic);
	void *cookie;
};
enum source_result source_step(struct source *src,
    const struct source_news *news);

/*
 * Have the next step notice that another file is in the log's place: it is
 * looked at 20 times a second at most, which would be late for a client that
 * comes with an id of the new one.
 */
void source_recheck(struct source *src);

/* ---- older events ---- */

/*
 * The events after a cursor, from memory or from the log.
 *   shape    chunk->after <= cursor < chunk->upto.  It holds at least those that the
 *            filter's topics let pass, and others
 *   returns  SOURCE_OK with *chunk and *is_old set (read from the log itself, so
 *            that removed events may be missing); SOURCE_END if cursor is at
 *            the head; SOURCE_TROUBLE
 *   owns     lent until source_chunk() or source_step() is next called
 */
enum source_result source_chunk(struct source *src, const struct filter *f,
    int64_t cursor, const struct chunk **chunk, bool *is_old);

/*
 * A number that stays the same as long as nobody commits; to be compared with
 * what it was since source_step() was last called.
 *   returns  SOURCE_OK, SOURCE_TROUBLE
 */
enum source_result source_version(struct source *src, int64_t *version);

/*
 * Has an event that the filter lets pass been removed after a cursor, of which
 * the client does not know?
 *   returns  SOURCE_OK with *next set to the id from which on all is there, and
 *            *known to what it will know once it is told; SOURCE_END if not;
 *            SOURCE_TROUBLE
 */
enum source_result source_gap(struct source *src, const struct filter *f,
    int64_t cursor, struct gap_known *known, int64_t *next);

/* ---- where to start ---- */

/*
 * Look for the place to start at.
 *   returns  SOURCE_OK with cursor and known set; SOURCE_END if it is to be
 *            called again; SOURCE_RESET if the client's id lies beyond the end
 *            of the log (cursor is the end then); SOURCE_TROUBLE
 */
enum source_result source_find(struct source *src, const struct filter *f,
    struct seek *seek);

#endif
