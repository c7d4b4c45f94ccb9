/*
 * When the log may have grown.
 *
 * A writer appends to the WAL file, may sync it, and only then makes the commit
 * visible in shared memory, without a file event.  So the first look after an
 * event is often too early.  It is repeated: soon at first, as it takes
 * microseconds without a sync, then less and less often.  Rows that the first
 * look finds may be those of the commit before: only rows that a later look
 * finds became visible after the event.
 */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "lib/warn.h"
#include "fine_timer.h"
#include "timer.h"

#define FIRST_WAIT_NS 20000   /* before the second look */
#define LAST_WAIT_NS 30000000 /* after such a wait the poll is enough */

struct watch {
	uv_fs_event_t files;
	uv_timer_t poll;
	struct fine_timer *again;
	int open_handles;
	long wait_ns;
	char *folder;
	char *name; /* of the database in its folder */
	size_t name_len;
	bool (*look)(void *cookie);
	void *cookie;
};

static void
look_later(struct watch *w, long wait_ns)
{
	w->wait_ns = wait_ns;
	fine_timer_start(w->again, wait_ns);
}

static void
on_again(void *cookie)
{
	struct watch *w = cookie;

	if (w->look(w->cookie) || w->wait_ns > LAST_WAIT_NS)
		fine_timer_stop(w->again);
	else
		look_later(w, w->wait_ns + w->wait_ns / 4);
}

/* The database itself, its WAL, or their folder as a whole. */
static bool
concerns_us(const struct watch *w, const char *name)
{
	return name == NULL ||
	    (strncmp(name, w->name, w->name_len) == 0 &&
		(name[w->name_len] == '\0' ||
		    strcmp(name + w->name_len, "-wal") == 0));
}

static void
on_file_event(uv_fs_event_t *files, const char *name, int events, int status)
{
	struct watch *w = files->data;

	(void)events;
	if (status != 0 || !concerns_us(w, name))
		return;
	/* even if it finds rows: they may be those of the commit before */
	(void)w->look(w->cookie);
	look_later(w, FIRST_WAIT_NS);
}

static void
on_tick(uv_timer_t *timer)
{
	struct watch *w = timer->data;

	(void)w->look(w->cookie); /* no event, so no second look */
}

static void
on_closed(uv_handle_t *handle)
{
	struct watch *w = handle->data;

	if (--w->open_handles > 0)
		return;
	free(w->folder);
	free(w->name);
	free(w);
}

/* Sets the folder and the name of the file itself, not of a link to it. */
static int
name_file(struct watch *w, const char *path)
{
	char *slash;

	w->folder = realpath(path, NULL);
	if (w->folder == NULL)
		return -1;
	slash = strrchr(w->folder, '/'); /* exists: the path is absolute */
	w->name = strdup(slash + 1);
	slash[slash == w->folder ? 1 : 0] = '\0';
	if (w->name == NULL)
		return -1;
	w->name_len = strlen(w->name);
	return 0;
}

struct watch *
watch_new(uv_loop_t *loop, const char *path, int64_t poll_ms,
    bool (*look)(void *cookie), void *cookie)
{
	struct watch *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return NULL;
	w->look = look;
	w->cookie = cookie;
	w->again = fine_timer_new(loop, on_again, w);
	if (name_file(w, path) != 0 || w->again == NULL) {
		fine_timer_free(w->again);
		free(w->folder);
		free(w->name);
		free(w);
		return NULL;
	}
	(void)uv_fs_event_init(loop, &w->files); /* returns 0 */
	w->files.data = w;
	timer_init(&w->poll, loop, w);
	w->open_handles = 2;
	timer_repeat(&w->poll, on_tick, poll_ms);
	/* the folder: the WAL and the database itself may come and go */
	rc = uv_fs_event_start(&w->files, on_file_event, w->folder, 0);
	if (rc != 0)
		warn_line("watch: %s: %s; new rows are noticed by polling%s",
		    w->folder, uv_strerror(rc),
		    rc == UV_EMFILE ? "; raise fs.inotify.max_user_instances" :
				      "");
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	uv_close((uv_handle_t *)&w->files, on_closed);
	fine_timer_free(w->again);
	uv_close((uv_handle_t *)&w->poll, on_closed);
}
