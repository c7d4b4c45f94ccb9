#ifndef ROWCAST_FANOUT_H
#define ROWCAST_FANOUT_H

#include "roster.h"

/*
 * The way from new rows of the log to the streams.
 */
struct fanout;

/*
 *   returns  NULL if out of memory
 *   owns     the caller frees with fanout_free(); borrows loop, source, feeds
 *            and roster
 */
struct fanout *fanout_new(uv_loop_t *loop, struct source *source,
    struct feeds *feeds, struct roster *roster);
void fanout_free(struct fanout *f); /* f may be NULL */

/*
 * Look whether the log has grown, and send new events.  May free streams.
 *   returns  whether there were new events
 */
bool fanout_look(struct fanout *f);

/*
 *   events  seen in the log
 *   sends   to live streams
 *   behind  times that a live stream fell behind
 */
struct fanout_counters {
	uint64_t events;
	uint64_t sends;
	uint64_t behind;
};
const struct fanout_counters *fanout_counters(const struct fanout *f);

#endif
