/*
 * Waits for a log to grow: by file events, and by a look every POLL_MS, because
 * some file systems send none.
 */
#include "follow.h"

#include <uv.h>

#include "lib/loop/loop.h"
#include "lib/loop/timer.h"
#include "lib/loop/watch.h"
#include "lib/warn.h"
#include "output.h"

#define POLL_MS 100

struct run {
	uv_loop_t loop;
	uv_timer_t silence;
	struct watch *watch;
	const struct follow *follow;
	bool is_over;
};

static void
on_silence(uv_timer_t *timer)
{
	struct run *run = timer->data;

	run->follow->silent(run->follow->cookie);
}

static void
restart_silence(struct run *run)
{
	if (run->follow->silent != NULL)
		timer_repeat(&run->silence, on_silence, run->follow->silent_ms);
}

static bool
on_look(void *cookie)
{
	struct run *run = cookie;
	bool is_news;

	if (run->is_over)
		return true;
	output_check_reader();
	is_news = run->follow->look(run->follow->cookie, &run->is_over);
	if (is_news)
		restart_silence(run);
	if (run->is_over)
		uv_stop(&run->loop);
	return is_news;
}

static void
run_loop(struct run *run)
{
	restart_silence(run);
	(void)on_look(run); /* rows committed before the watch was set up */
	if (!run->is_over)
		(void)uv_run(&run->loop, UV_RUN_DEFAULT); /* until uv_stop() */
}

int
follow_run(const struct follow *f)
{
	struct run run = { .follow = f };
	int result;

	if (loop_open(&run.loop) != 0) {
		warn_line("out of memory or descriptors");
		return -1;
	}
	timer_init(&run.silence, &run.loop, &run);
	run.watch = watch_new(&run.loop, f->path, POLL_MS, on_look, &run);
	result = run.watch != NULL ? 0 : -1;
	if (result == 0)
		run_loop(&run);
	else
		warn_line("out of memory or descriptors");
	watch_free(run.watch);
	uv_close((uv_handle_t *)&run.silence, NULL);
	(void)uv_run(&run.loop, UV_RUN_DEFAULT); /* until all are closed */
	(void)uv_loop_close(&run.loop);
	return result;
}
