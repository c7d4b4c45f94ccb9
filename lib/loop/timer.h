#ifndef ROWCAST_TIMER_H
#define ROWCAST_TIMER_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <uv.h>

/*
 * Timers and idle handles of libuv, by calls that cannot fail: libuv refuses
 * only a missing callback and a handle that is closing.  The caller closes them
 * with uv_close().
 */

static inline void
timer_init(uv_timer_t *t, uv_loop_t *loop, void *data)
{
	(void)uv_timer_init(loop, t);
	t->data = data;
}

/* Expire once, in ms from now, instead of any time set before. */
static inline void
timer_start(uv_timer_t *t, uv_timer_cb expired, int64_t ms)
{
	if (uv_timer_start(t, expired, (uint64_t)ms, 0) != 0)
		assert(false);
}

/* Expire every so many ms until timer_stop(). */
static inline void
timer_repeat(uv_timer_t *t, uv_timer_cb expired, int64_t ms)
{
	if (uv_timer_start(t, expired, (uint64_t)ms, (uint64_t)ms) != 0)
		assert(false);
}

static inline void
timer_stop(uv_timer_t *t)
{
	(void)uv_timer_stop(t);
}

/* For uv_close(): free handle->data, which the handle is part of. */
static inline void
timer_free_data(uv_handle_t *handle)
{
	free(handle->data);
}

static inline bool
timer_is_running(const uv_timer_t *t)
{
	return uv_is_active((const uv_handle_t *)t);
}

static inline void
idle_init(uv_idle_t *idle, uv_loop_t *loop, void *data)
{
	(void)uv_idle_init(loop, idle);
	idle->data = data;
}

/* Call turn() in each turn of the loop, which does not sleep meanwhile. */
static inline void
idle_start(uv_idle_t *idle, uv_idle_cb turn)
{
	if (uv_idle_start(idle, turn) != 0)
		assert(false);
}

static inline void
idle_stop(uv_idle_t *idle)
{
	(void)uv_idle_stop(idle);
}

#endif
