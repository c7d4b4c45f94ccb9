/*
 * Signals of the programs that serve many.
 */
#include "signals.h"

#include <signal.h>

#include "lib/warn.h"

void
signals_watch(struct signals *s, uv_loop_t *loop,
    void (*came)(uv_signal_t *handle, int number), void *data)
{
	static const int numbers[SIGNALS_N] = { SIGTERM, SIGINT, SIGUSR2 };

	(void)signal(SIGPIPE, SIG_IGN); /* write() says it, too */
	(void)signal(SIGUSR1, SIG_DFL); /* FastCGI's "end when you can" */
	for (size_t i = 0; i < SIGNALS_N; i++) {
		uv_signal_t *handle = &s->handles[i];

		handle->data = data;
		if (uv_signal_init(loop, handle) != 0 ||
		    uv_signal_start(handle, came, numbers[i]) != 0)
			warn_line("main: signal %d cannot be watched",
			    numbers[i]);
	}
}
