/*
 * watch: how often it looks after a file event.
 */
#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/loop/watch.h"

#define NEVER_MS 100000000
#define DEADLINE_MS 120000
#define SOON_MS 100 /* a look that comes later is not noticed */

struct looks {
	uv_loop_t loop;
	uv_timer_t deadline;
	unsigned finds; /* bit n: look n finds rows */
	int n;
	int wanted;
};

static bool
on_look(void *cookie)
{
	struct looks *l = cookie;
	bool is_found = (l->finds >> l->n & 1) != 0;

	if (++l->n == l->wanted)
		uv_stop(&l->loop);
	return is_found;
}

static void
on_deadline(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void
run_for(struct looks *l, uint64_t ms)
{
	(void)uv_timer_start(&l->deadline, on_deadline, ms, 0);
	(void)uv_run(&l->loop, UV_RUN_DEFAULT);
}

/* Write to a file next to the database, which causes one event.  Returns the
   number of looks: those that are wanted, and all that follow soon. */
static int
looks_after(const char *path, const char *suffix, unsigned finds, int wanted)
{
	struct looks l = { .finds = finds, .wanted = wanted };
	struct watch *w;
	char name[256];
	int fd;

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)uv_loop_init(&l.loop);
	(void)uv_timer_init(&l.loop, &l.deadline);
	w = watch_new(&l.loop, path, NEVER_MS, on_look, &l);
	if (fd < 0 || w == NULL || write(fd, "x", 1) != 1)
		return -1;
	if (wanted > 0)
		run_for(&l, DEADLINE_MS);
	run_for(&l, SOON_MS);
	(void)close(fd);
	watch_free(w);
	uv_close((uv_handle_t *)&l.deadline, NULL);
	(void)uv_run(&l.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&l.loop);
	return l.n;
}

int
main(void)
{
	char folder[] = "/tmp/test_watch.XXXXXX", path[64];
	int fd;

	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/db", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return 1;
	(void)close(fd);
	check(looks_after(path, "-wal", 0, 8) >= 8,
	    "looks again while nothing is found");
	check(looks_after(path, "-wal", 1, 2) >= 2,
	    "looks again if the first look finds the commit before");
	check(looks_after(path, "-wal", 2, 2) == 2,
	    "a later look that finds rows is the last one");
	check(looks_after(path, "-journal", 0, 0) == 0,
	    "other files do not matter");
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/db-wal", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/db-journal", folder);
	(void)unlink(path);
	(void)rmdir(folder);
	return tap_end();
}
