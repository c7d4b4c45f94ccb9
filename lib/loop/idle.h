#ifndef ROWCAST_IDLE_H
#define ROWCAST_IDLE_H

#include <assert.h>

#include <uv.h>

/*
 * Idle handles of libuv: a callback in each turn of the loop, which does not
 * sleep meanwhile.  The calls cannot fail: uv_idle_start() fails only without a
 * callback.  Close a handle with uv_close().
 */

static inline void
idle_init(uv_idle_t *idle, uv_loop_t *loop, void *data)
{
	(void)uv_idle_init(loop, idle); /* returns 0 */
	idle->data = data;
}

static inline void
idle_start(uv_idle_t *idle, uv_idle_cb turn)
{
	int rc = uv_idle_start(idle, turn);

	assert(rc == 0);
	(void)rc;
}

static inline void
idle_stop(uv_idle_t *idle)
{
	(void)uv_idle_stop(idle); /* returns 0 */
}

#endif
