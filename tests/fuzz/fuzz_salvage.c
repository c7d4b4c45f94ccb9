/*
 * Bytes as a damaged log: what salvaging makes of them.
 *
 * The input is the length of the WAL in two bytes, the WAL, and the file.  The
 * target holds if rows and what is lost come in the order of their ids, nothing
 * twice and nothing that was not asked for, with all bytes readable and names
 * that a log takes, and if the search ends.
 *
 * Options: -len_control=0 -max_len=24000 -detect_leaks=0
 * Covers: lib/log/salvage.c lib/log/leaves.c lib/log/image.c
 */
#include "fuzz.h"

#include <unistd.h>

#include "lib/log/admin.h"
#include "lib/log/leaves.h"

#define UPTO 300 /* ids are probed one by one */

static char folder[64], path[96], wal[100], shm[100];

struct reading {
	int64_t after; /* all up to here has been told */
	int64_t upto;
	unsigned sum; /* of all bytes, so that each is read */
};

static void
drop_all(void)
{
	(void)unlink(path); /* they may not be there */
	(void)unlink(wal);
	(void)unlink(shm);
	(void)rmdir(folder);
}

static void
name_files(void)
{
	const char *parent = getenv("TMPDIR");

	if (folder[0] != '\0')
		return;
	(void)snprintf(folder, sizeof(folder), "%.40s/rowcast-fuzz.XXXXXX",
	    parent != NULL ? parent : "/tmp");
	require(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/log.db", folder);
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	(void)snprintf(shm, sizeof(shm), "%s-shm", path);
	require(atexit(drop_all) == 0);
}

static void
write_file(const char *name, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(name, "w");

	require(f != NULL && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

static bool
on_row(void *cookie, const struct event *e)
{
	const struct text texts[] = { e->topic, e->name, e->data, e->key };
	struct reading *r = cookie;

	require(e->id > r->after && e->id <= r->upto);
	require(e->retry_ms == EVENT_NO_RETRY ||
	    (e->retry_ms >= 0 && e->retry_ms <= EVENT_RETRY_MAX_MS));
	for (size_t i = 0; i < 4; i++)
		for (size_t at = 0; at < texts[i].len; at++)
			r->sum += (unsigned char)texts[i].bytes[at];
	r->after = e->id;
	return true;
}

static void
on_lost(void *cookie, int64_t from, int64_t to)
{
	struct reading *r = cookie;

	require(from > r->after && from <= to && to <= r->upto);
	r->after = to;
}

static void
search_leaves(void)
{
	struct reading r = { .upto = EVENT_ID_MAX };
	struct leaves *l = leaves_new(path);
	struct event e;

	require(l != NULL);
	while (r.after < r.upto &&
	    leaves_find(l, r.after + 1, r.upto, &e) == LEAVES_ROW) {
		require(e.topic.len <= EVENT_NAME_MAX && e.name.len > 0 &&
		    e.name.len <= EVENT_NAME_MAX &&
		    e.key.len <= EVENT_NAME_MAX);
		require(e.topic.len == 0 ||
		    memchr(e.topic.bytes, '\0', e.topic.len) == NULL);
		(void)on_row(&r, &e);
	}
	leaves_free(l);
}

static void
salvage(void)
{
	const struct log_options options = { .path = path };
	struct reading r = { .upto = UPTO };
	const struct log_salvager to = { on_row, on_lost, &r };
	char why[LOG_WHY_MAX] = "";

	if (log_salvage(&options, 0, UPTO, &to, why) != LOG_OK)
		require(why[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t wal_len;

	if (size < 2)
		return 0;
	wal_len = (size_t)data[0] << 8 | data[1];
	if (wal_len > size - 2)
		return 0;
	name_files();
	(void)unlink(wal);
	(void)unlink(shm);
	write_file(path, data + 2 + wal_len, size - 2 - wal_len);
	if (wal_len > 0)
		write_file(wal, data + 2, wal_len);
	search_leaves();
	salvage();
	return 0;
}
