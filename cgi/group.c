/*
 * Group commit.
 *
 * Requests that arrive while a transaction is written to the disk are in the
 * next one, so they share the wait for the disk.  Nothing waits for a lock:
 * while another program is writing, the loop goes on reading and the group
 * tries again.
 */
#include "group.h"

#include <assert.h>

#include <utlist.h>

#include "lib/loop/timer.h"

#define GROUP_MAX 512 /* requests in one transaction */
#define HOLD_MAX_NS 50000000L
#define AGAIN_MS 2 /* between tries while another program is writing */

static void
on_more(uv_idle_t *idle)
{
	(void)idle; /* it runs so that the loop does not sleep */
}

static void on_again(uv_timer_t *timer);

static void
set_state(struct group *g, enum group_state state)
{
	uint64_t ns = g->commit_ns / 2 + 1;

	if (g->state == GROUP_HOLDING)
		fine_timer_stop(g->hold);
	g->state = state;
	switch (state) {
	case GROUP_GATHERING:
		break;
	case GROUP_HOLDING:
		fine_timer_start(g->hold,
		    ns < HOLD_MAX_NS ? (long)ns : HOLD_MAX_NS);
		break;
	case GROUP_DUE:
		idle_start(&g->more, on_more);
		break;
	case GROUP_LOCKED:
		timer_start(&g->again, on_again, AGAIN_MS);
		break;
	}
}

static void
finish(struct group *g, struct group_member *m)
{
	g->counters.appended++;
	g->done(m->user);
}

/* Refuse the members that have waited since then, or longer. */
static void
give_up(struct group *g, int64_t since_ms)
{
	struct group_member *m;

	while ((m = g->members) != NULL && m->since_ms <= since_ms) {
		commit_busy(g->commit, m->publish);
		finish(g, m);
	}
}

static void
on_again(uv_timer_t *timer)
{
	struct group *g = timer->data;

	give_up(g, (int64_t)uv_now(g->loop) - g->busy_ms);
	set_state(g, g->n > 0 ? GROUP_DUE : GROUP_GATHERING);
}

static void
on_hold(void *cookie)
{
	set_state(cookie, GROUP_DUE);
}

static void
commit(struct group *g)
{
	struct group_member *members[GROUP_MAX], *m;
	struct publish *requests[GROUP_MAX] = { 0 };
	uint64_t began = uv_hrtime();
	size_t n = 0;

	assert(g->n > 0);
	for (m = g->members; m != NULL && n < GROUP_MAX; m = m->next) {
		members[n] = m;
		requests[n++] = m->publish;
	}
	if (commit_all(g->commit, requests, n) != 0) {
		g->counters.locked++;
		set_state(g, GROUP_LOCKED);
		return;
	}
	g->counters.groups++;
	set_state(g, GROUP_GATHERING);
	g->commit_ns = uv_hrtime() - began;
	g->expected_size = n > g->expected_size / 2 ? n : g->expected_size / 2;
	for (size_t i = 0; i < n; i++)
		/* a request that found the log locked waits on */
		if (publish_state(members[i]->publish) != PUBLISH_APPENDING)
			finish(g, members[i]);
	if (g->n > 0)
		idle_start(&g->more, on_more);
}

/*
 * Publishers that were answered together send their next requests together: do
 * not write the first of these to the disk alone.  Wait for as many as the last
 * time, but not longer than half of what a commit takes.
 */
static void
on_check(uv_check_t *check)
{
	struct group *g = check->data;

	idle_stop(&g->more);
	if (g->n == 0 || g->state == GROUP_LOCKED)
		return;
	if (g->n >= g->expected_size || g->state == GROUP_DUE)
		commit(g);
	else if (g->state == GROUP_GATHERING)
		set_state(g, GROUP_HOLDING);
}

void
group_join(struct group *g, struct group_member *m)
{
	m->since_ms = (int64_t)uv_now(g->loop);
	DL_APPEND(g->members, m);
	g->n++;
	/* on_check() must follow, also if the loop has nothing else to do */
	idle_start(&g->more, on_more);
}

void
group_leave(struct group *g, struct group_member *m)
{
	DL_DELETE(g->members, m);
	g->n--;
}

void
group_give_up(struct group *g)
{
	give_up(g, INT64_MAX);
}

int
group_open(struct group *g, uv_loop_t *loop, struct commit *commit,
    int64_t busy_ms, void (*done)(void *user))
{
	*g = (struct group){
		.loop = loop,
		.commit = commit,
		.busy_ms = busy_ms,
		.done = done,
	};
	idle_init(&g->more, loop, g);
	timer_init(&g->again, loop, g);
	(void)uv_check_init(loop, &g->check); /* returns 0 */
	g->check.data = g;
	(void)uv_check_start(&g->check, on_check); /* has a callback */
	g->hold = fine_timer_new(loop, on_hold, g);
	return g->hold != NULL ? 0 : -1;
}

void
group_close(struct group *g)
{
	if (g->loop == NULL)
		return;
	uv_close((uv_handle_t *)&g->check, NULL);
	uv_close((uv_handle_t *)&g->more, NULL);
	uv_close((uv_handle_t *)&g->again, NULL);
	fine_timer_free(g->hold);
}
