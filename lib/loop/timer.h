#ifndef ROWCAST_TIMER_H
#define ROWCAST_TIMER_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/*
 * Timers of libuv, by calls that cannot fail: uv_timer_start() fails only
 * without a callback or on a closing handle, uv_timer_again() only on a timer
 * that was never started.  Close a timer with uv_close().
 */

static inline void
timer_init(uv_timer_t *t, uv_loop_t *loop, void *data)
{
	(void)uv_timer_init(loop, t); /* returns 0 */
	t->data = data;
}

/* Expire once, in ms from now, instead of any time set before. */
static inline void
timer_start(uv_timer_t *t, uv_timer_cb expired, int64_t ms)
{
	int rc = uv_timer_start(t, expired, (uint64_t)ms, 0);

	assert(rc == 0);
	(void)rc;
}

/* Expire every so many ms until timer_stop(). */
static inline void
timer_repeat(uv_timer_t *t, uv_timer_cb expired, int64_t ms)
{
	int rc = uv_timer_start(t, expired, (uint64_t)ms, (uint64_t)ms);

	assert(rc == 0);
	(void)rc;
}

static inline void
timer_stop(uv_timer_t *t)
{
	(void)uv_timer_stop(t); /* returns 0 */
}

static inline bool
timer_is_running(const uv_timer_t *t)
{
	return uv_is_active((const uv_handle_t *)t);
}

#endif
