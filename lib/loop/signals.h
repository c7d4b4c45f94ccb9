#ifndef ROWCAST_SIGNALS_H
#define ROWCAST_SIGNALS_H

#include <uv.h>

/*
 * The signals that a program that serves many listens to: SIGTERM and SIGINT,
 * to end, and SIGUSR2, to report.  SIGPIPE is ignored, SIGUSR1 ends it.
 */
#define SIGNALS_N 3
struct signals {
	uv_signal_t handles[SIGNALS_N];
};

/*
 * After fcgi_init(), which installs handlers of its own.  A signal that cannot
 * be watched is warned of.
 *   owns     the caller closes the handles with the loop
 */
void signals_watch(struct signals *s, uv_loop_t *loop,
    void (*came)(uv_signal_t *handle, int number), void *data);

#endif
