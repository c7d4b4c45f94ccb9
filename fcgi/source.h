#ifndef ROWCAST_SOURCE_H
#define ROWCAST_SOURCE_H

#include "lib/filter.h"
#include "lib/log/seek.h"
#include "news.h"
#include "responder_config.h"

/*
 * The source of all streams: the log, its newest part in memory (the tail), and
 * older parts that are kept for a while (pages).  Only source_new() waits for
 * locks.  If the log cannot be read, a call returns SOURCE_TROUBLE; repeat it
 * later.
 */
struct source;

/*
 * Open the log.
 *   returns  NULL with why set to one line that says what to do
 *   owns     the caller frees with source_free(); borrows config
 */
#define SOURCE_WHY_MAX 768
struct source *source_new(const struct responder_config *config,
    char why[SOURCE_WHY_MAX]);
void source_free(struct source *src); /* src may be NULL */

/* The head: source_step() has seen all events with id <= head. */
int64_t source_head(const struct source *src);

/* The number of rows read from the log so far, for any purpose. */
uint64_t source_rows(const struct source *src);

/* The number of calls so far that had to read the log for one stream: pages,
   searches for a gap or for the place to start at. */
uint64_t source_reads(const struct source *src);

enum source_result {
	SOURCE_OK,
	SOURCE_END,     /* there is no more */
	SOURCE_RESET,   /* the log was replaced or went back */
	SOURCE_TROUBLE, /* the log could not be read: nothing is known */
};

/* ---- new events ---- */

/*
 * Look whether the log has changed, which is cheap, and read the next new
 * events into memory: at most as many as fit into one record, or one event that
 * is larger than a record.
 *   returns  SOURCE_OK if there may be more, SOURCE_END if there is not, both
 *            with *news set; SOURCE_TROUBLE; SOURCE_RESET if the log was
 *            replaced or restored from an older copy: discard all that was read
 *            from the source before.  source_head() is then the end of the log
 *            as it is now
 *   owns     lends *news and the chunks in it until the next source_step()
 *   voids    chunks lent before
 */
enum source_result source_step(struct source *src, const struct news **news);

/*
 * Make the next step check whether another file has taken the log's place.
 * Steps check 20 times a second at most, which may be too late for a client
 * that connects with an id of the new log.
 */
void source_recheck(struct source *src);

/* ---- older events ---- */

/*
 * Find the events after a cursor, in memory or in the log.
 *   shape    part: the bytes that were sent of the event after the cursor, or
 *            of its data if it is huge.
 *            chunk->after <= cursor < chunk->upto.  The chunk holds at least
 *            the events whose topics pass the filter, and may hold others
 *   returns  SOURCE_OK with *chunk set, and *is_old set if it was read from the
 *            log, so that removed events may be missing; SOURCE_END if the
 *            cursor is at the head; SOURCE_TROUBLE
 *   owns     lends *chunk until the next source_chunk() or source_step()
 */
enum source_result source_chunk(struct source *src, const struct filter *f,
    int64_t cursor, size_t part, const struct chunk **chunk, bool *is_old);

/*
 * A number > 0 that changes with every commit to the log, and when another file
 * has taken its place.
 *   returns  SOURCE_OK, SOURCE_TROUBLE
 */
enum source_result source_version(struct source *src, uint64_t *version);

/*
 * Look for events after a cursor that were removed, that the filter lets pass,
 * and that the client has not been notified of.
 *   returns  SOURCE_OK if there are any, with *next set to the id from which on
 *            the log is complete, and *known as it is once the client has been
 *            notified; SOURCE_END if there are none; SOURCE_TROUBLE
 */
enum source_result source_gap(struct source *src, const struct filter *f,
    int64_t cursor, struct gap_known *known, int64_t *next);

/* ---- where to start ---- */

/*
 * Look for the place where a stream starts, one page at a time.
 *   returns  SOURCE_OK with seek's cursor and known set; SOURCE_END if it must
 *            be called again; SOURCE_RESET if the client's id lies beyond the
 *            end of the log (the cursor is the end then); SOURCE_TROUBLE
 */
enum source_result source_find(struct source *src, const struct filter *f,
    struct seek *seek);

#endif
