/*
 * A timer with a resolution of nanoseconds: a timerfd on Linux; elsewhere a
 * timer of libuv, which is up to a millisecond late.
 */
#include "fine_timer.h"

#include <stdlib.h>
#include <unistd.h>

#ifdef __linux__

#include <sys/timerfd.h>

struct fine_timer {
	uv_poll_t poll;
	int fd;
	void (*expired)(void *cookie);
	void *cookie;
};

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct fine_timer *t = poll->data;
	uint64_t times;

	(void)status; /* read() reports it */
	(void)events;
	if (read(t->fd, &times, sizeof(times)) == sizeof(times))
		t->expired(t->cookie);
}

static int
open_timer(struct fine_timer *t, uv_loop_t *loop)
{
	t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->fd < 0)
		return -1;
	if (uv_poll_init(loop, &t->poll, t->fd) != 0) {
		(void)close(t->fd);
		return -1;
	}
	t->poll.data = t;
	/* cannot fail on a new handle */
	return uv_poll_start(&t->poll, UV_READABLE, on_poll);
}

void
fine_timer_start(struct fine_timer *t, long ns)
{
	struct itimerspec at = { .it_value.tv_nsec = ns };

	/* cannot fail: the descriptor is open and ns below a second */
	(void)timerfd_settime(t->fd, 0, &at, NULL);
}

void
fine_timer_stop(struct fine_timer *t)
{
	fine_timer_start(t, 0);
}

static void
on_closed(uv_handle_t *handle)
{
	struct fine_timer *t = handle->data;

	(void)close(t->fd);
	free(t);
}

#else

#include "timer.h"

struct fine_timer {
	uv_timer_t poll;
	void (*expired)(void *cookie);
	void *cookie;
};

static void
on_timer(uv_timer_t *timer)
{
	struct fine_timer *t = timer->data;

	t->expired(t->cookie);
}

static int
open_timer(struct fine_timer *t, uv_loop_t *loop)
{
	timer_init(&t->poll, loop, t);
	return 0;
}

void
fine_timer_start(struct fine_timer *t, long ns)
{
	timer_start(&t->poll, on_timer, ns / 1000000 + 1);
}

void
fine_timer_stop(struct fine_timer *t)
{
	timer_stop(&t->poll);
}

#define on_closed timer_free_data

#endif

struct fine_timer *
fine_timer_new(uv_loop_t *loop, void (*expired)(void *cookie), void *cookie)
{
	struct fine_timer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->expired = expired;
	t->cookie = cookie;
	if (open_timer(t, loop) != 0) {
		free(t);
		return NULL;
	}
	return t;
}

void
fine_timer_free(struct fine_timer *t)
{
	if (t != NULL)
		uv_close((uv_handle_t *)&t->poll, on_closed);
}
