#ifndef ROWCAST_FINE_TIMER_H
#define ROWCAST_FINE_TIMER_H

#include <uv.h>

/*
 * A timer that counts nanoseconds where the system has one; libuv's count
 * milliseconds, and elsewhere it is one of those.
 */
struct fine_timer;

/*
 *   returns  a timer that is not running; NULL if out of memory or descriptors
 *   owns     the caller; fine_timer_free().  Lends loop and cookie
 */
struct fine_timer *fine_timer_new(uv_loop_t *loop,
    void (*expired)(void *cookie), void *cookie);
void fine_timer_free(struct fine_timer *t); /* t may be NULL */

/*
 * Expire once, in so many nanoseconds from now instead of any time set before.
 *   shape    1 <= ns < 10^9
 */
void fine_timer_start(struct fine_timer *t, long ns);
void fine_timer_stop(struct fine_timer *t);

#endif
