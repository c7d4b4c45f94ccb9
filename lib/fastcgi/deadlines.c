/*
 * Deadlines in one list, in the order in which they expire.
 *
 * The timer runs for the first deadline.  It is not stopped when that one is
 * cleared, which happens with every request: it then expires without effect and
 * is started for the deadline that has become the first.
 */
#include <utlist.h>

#include "lib/loop/timer.h"
#include "connection_private.h"

static void on_timer(uv_timer_t *timer);

static void
arm(struct deadlines *ds)
{
	const struct deadline *first = ds->all;
	int64_t now = (int64_t)uv_now(ds->timer.loop);

	if (first != NULL)
		timer_start(&ds->timer, on_timer,
		    first->at_ms > now ? first->at_ms - now : 0);
}

static void
on_timer(uv_timer_t *timer)
{
	struct deadlines *ds = timer->data;
	struct deadline *d;

	while (
	    (d = ds->all) != NULL && d->at_ms <= (int64_t)uv_now(timer->loop)) {
		deadlines_clear(d);
		ds->expired(d);
	}
	arm(ds);
}

void
deadlines_init(struct deadlines *ds, uv_loop_t *loop, int64_t period_ms,
    void (*expired)(struct deadline *d))
{
	timer_init(&ds->timer, loop, ds);
	ds->all = NULL;
	ds->period_ms = period_ms;
	ds->expired = expired;
}

void
deadlines_set(struct deadlines *ds, struct deadline *d)
{
	bool was_empty;

	deadlines_clear(d);
	was_empty = ds->all == NULL;
	d->at_ms = (int64_t)uv_now(ds->timer.loop) + ds->period_ms;
	d->owner = ds;
	DL_APPEND(ds->all, d);
	if (was_empty)
		arm(ds);
}

void
deadlines_clear(struct deadline *d)
{
	if (d->owner != NULL)
		DL_DELETE(d->owner->all, d);
	d->owner = NULL;
}
