#ifndef ROWCAST_DEADLINES_H
#define ROWCAST_DEADLINES_H

#include <sys/queue.h>

#include <stdint.h>

#include <uv.h>

/*
 * Deadlines that all lie equally far in the future when they are set, so that
 * they expire in the order in which they were set: one list and one timer.
 */
struct deadlines;

/* A deadline, embedded in what it is for.  Begins as 0: not set. */
struct deadline {
	TAILQ_ENTRY(deadline) link;
	int64_t at_ms;
	struct deadlines *owner; /* NULL: not set */
};

TAILQ_HEAD(deadline_list, deadline);

struct deadlines {
	uv_timer_t timer;
	struct deadline_list all;
	int64_t period_ms;
	void (*expired)(struct deadline *d);
};

/*
 *   expired  called from the loop.  The deadline is not set any more; the
 *            callback may set it again, set and clear others, and free d.
 *   owns     the caller closes ds->timer with uv_close()
 */
void deadlines_init(struct deadlines *ds, uv_loop_t *loop, int64_t period_ms,
    void (*expired)(struct deadline *d));

/* Let d expire in period_ms from now, instead of any time set before. */
void deadlines_set(struct deadlines *ds, struct deadline *d);

void deadlines_clear(struct deadline *d); /* d need not be set */

/* The deadline that expires next; NULL if none is set. */
struct deadline *deadlines_first(const struct deadlines *ds);

#endif
