#ifndef ROWCAST_FINE_TIMER_H
#define ROWCAST_FINE_TIMER_H

#include <uv.h>

/*
 * A timer with a resolution of nanoseconds on Linux, of milliseconds elsewhere
 * (as libuv's).
 */
struct fine_timer;

/*
 *   returns  a stopped timer; NULL if out of memory or descriptors
 *   owns     the caller frees with fine_timer_free(); borrows loop and cookie
 */
struct fine_timer *fine_timer_new(uv_loop_t *loop,
    void (*expired)(void *cookie), void *cookie);
void fine_timer_free(struct fine_timer *t); /* t may be NULL */

/* Expire once, in ns from now (1 <= ns < 10^9), instead of any time set
   before. */
void fine_timer_start(struct fine_timer *t, long ns);
void fine_timer_stop(struct fine_timer *t);

#endif
