/*
 * powercut: rebuild the files of a log as a loss of power may leave them, at
 * many moments of a journal (tests/preload/journal.h), and look at each.
 *
 *   usage: powercut JOURNAL FOLDER full|normal EVERY SEED
 *
 * At every EVERY-th record the power goes.  What was synced is there; of what
 * was written since, at each try:
 *   all of it; all, but the last write is torn; what chance leaves of it, each
 *   write whole, not at all, or some of its sectors.
 * Files that were made or removed since the folder was synced are so, or not
 * yet, in the order in which that was done.
 *
 * Then the log must open and be sound; each publisher's events, whose data are
 * "PUBLISHER NUMBER …", are there from 1 up to a last one; and with "full",
 * whatever was acknowledged, and no id of it is given again.  With "normal"
 * what is lost is counted.  The last state is left in FOLDER.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log/admin.h"
#include "tests/preload/journal.h"

#define SECTOR 512
#define NAMES JOURNAL_SHM /* files whose contents count */
#define IDS_MAX 100000
#define PUBLISHERS_MAX 256

struct op {
	struct journal_record r;
	const uint8_t *bytes;
};

struct image {
	uint8_t *bytes;
	size_t len, capacity;
};

/* A file, whatever its name is now. */
struct node {
	struct image disk;  /* for certain */
	struct image cache; /* all that was written */
	size_t *pending;    /* records since it was synced */
	size_t n, capacity;
};

struct folder {
	struct node *names[NAMES];
};

enum left { ALL, TORN, CHANCE, KINDS };

static struct op *ops;
static size_t n_ops;
static struct folder now, synced;
static struct folder *changes; /* of names since the folder was synced */
static size_t n_changes;
static bool acknowledged[IDS_MAX];
static int64_t last_acknowledged;
static unsigned n_acknowledged;
static uint64_t chance_state;
static const char *folder;
static bool is_full;
static struct {
	unsigned cuts, states, lost, again;
} counts;

static struct {
	size_t at;
	enum left kind;
} cut;

__attribute__((format(printf, 1, 2), noreturn)) static void
wrong(const char *format, ...)
{
	static const char *const kinds[] = { "all", "torn", "by chance" };
	va_list args;

	(void)printf("record %zu of %zu, %s: ", cut.at, n_ops, kinds[cut.kind]);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)printf("\n");
	exit(1);
}

static unsigned
chance(unsigned below)
{
	chance_state =
	    chance_state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(chance_state >> 33) % below;
}

static void *
larger(void *p, size_t len)
{
	p = realloc(p, len);
	if (p == NULL) {
		perror("powercut");
		exit(2);
	}
	return p;
}

/* ---- images ---- */

static void
resize(struct image *i, uint64_t new_len)
{
	size_t len = (size_t)new_len;

	if (len > i->capacity) {
		i->capacity = 2 * len;
		i->bytes = larger(i->bytes, i->capacity);
	}
	if (len > i->len)
		memset(i->bytes + i->len, 0, len - i->len);
	i->len = len;
}

static void
put(struct image *i, uint64_t at, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return;
	if (at + len > i->len)
		resize(i, at + len);
	memcpy(i->bytes + at, bytes, len);
}

static void
apply(struct image *i, const struct op *op)
{
	if (op->r.op == JOURNAL_WRITE)
		put(i, op->r.offset, op->bytes, op->r.len);
	else
		resize(i, op->r.offset);
}

static void
copy(struct image *to, const struct image *from)
{
	resize(to, 0);
	put(to, 0, from->bytes, from->len);
}

/* ---- what was done ---- */

static void
change_names(void)
{
	changes = larger(changes, (n_changes + 1) * sizeof(*changes));
	changes[n_changes++] = now;
}

static void
sync_node(struct node *f)
{
	for (size_t i = 0; i < f->n; i++)
		apply(&f->disk, &ops[f->pending[i]]);
	f->n = 0;
}

static void
acknowledge(int64_t id)
{
	if (id <= 0 || id >= IDS_MAX || acknowledged[id])
		return;
	acknowledged[id] = true;
	n_acknowledged++;
	if (id > last_acknowledged)
		last_acknowledged = id;
}

/* Every number after "id":, "ids":[ or "last_id": in what was said. */
static void
take_answer(const struct op *op)
{
	char *text = larger(NULL, op->r.len + 1), *p = text;

	for (size_t i = 0; i < op->r.len; i++) /* FastCGI has NUL bytes */
		text[i] = op->bytes[i] != 0 ? (char)op->bytes[i] : ' ';
	text[op->r.len] = '\0';
	while ((p = strstr(p, "id")) != NULL) {
		p += p[2] == 's' ? 3 : 2;
		if (strncmp(p, "\":", 2) != 0)
			continue;
		p += 2;
		do
			acknowledge(
			    strtoll(p + (*p == '[' || *p == ','), &p, 10));
		while (*p == ',' && p[1] >= '0' && p[1] <= '9');
	}
	free(text);
}

static void
do_op(size_t at)
{
	const struct op *op = &ops[at];
	struct node *f = op->r.file < NAMES ? now.names[op->r.file] : NULL;

	switch (op->r.op) {
	case JOURNAL_CREATE:
		now.names[op->r.file] = calloc(1, sizeof(struct node));
		change_names();
		break;
	case JOURNAL_UNLINK:
		now.names[op->r.file] = NULL;
		change_names();
		break;
	case JOURNAL_WRITE:
	case JOURNAL_TRUNCATE:
		if (f == NULL)
			wrong("a file is written that nobody made");
		apply(&f->cache, op);
		if (f->n == f->capacity) {
			f->capacity = 2 * f->capacity + 16;
			f->pending = larger(f->pending,
			    f->capacity * sizeof(*f->pending));
		}
		f->pending[f->n++] = at;
		break;
	case JOURNAL_SYNC:
		if (f != NULL)
			sync_node(f);
		if (op->r.file == JOURNAL_FOLDER) {
			synced = now;
			n_changes = 0;
		}
		break;
	case JOURNAL_SAID:
		take_answer(op);
		break;
	default:
		wrong("no record");
	}
}

/* ---- what is left ---- */

/* Some sectors of a write, or one piece up to any byte. */
static void
tear(struct image *i, const struct op *op)
{
	if (op->r.op != JOURNAL_WRITE)
		return;
	if (chance(2) == 0) {
		put(i, op->r.offset, op->bytes, chance(op->r.len + 1));
		return;
	}
	for (size_t at = 0; at < op->r.len; at += SECTOR)
		if (chance(2) == 0)
			put(i, op->r.offset + at, op->bytes + at,
			    op->r.len - at < SECTOR ? op->r.len - at : SECTOR);
}

static void
leave(const struct node *f, struct image *i)
{
	unsigned share = chance(5) * 25; /* of 100 writes */

	copy(i, cut.kind == ALL ? &f->cache : &f->disk);
	for (size_t k = 0; cut.kind != ALL && k < f->n; k++) {
		const struct op *op = &ops[f->pending[k]];

		bool is_last = f->pending[k] == cut.at;

		if (cut.kind == TORN ? !is_last : chance(100) < share)
			apply(i, op);
		else if (cut.kind == TORN || chance(4) == 0)
			tear(i, op);
	}
}

static void
write_file(const char *suffix, const uint8_t *bytes, size_t len)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/events.db%s", folder, suffix);
	(void)unlink(path);
	if (bytes == NULL)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0) {
		perror(path);
		exit(2);
	}
}

static void
write_files(void)
{
	static const char *const names[NAMES] = { "", "-wal", "-journal" };
	static struct image image;
	size_t n =
	    cut.kind == CHANCE ? chance((unsigned)n_changes + 1) : n_changes;
	const struct folder *f = n == 0 ? &synced : &changes[n - 1];

	resize(&image, 1); /* an empty file has bytes, too */
	for (unsigned i = 0; i < NAMES; i++) {
		if (f->names[i] != NULL)
			leave(f->names[i], &image);
		write_file(names[i], f->names[i] != NULL ? image.bytes : NULL,
		    image.len);
	}
	/* it comes with the WAL, and what stands in it is nothing to rely on */
	for (size_t i = 0; i < 32768; i++)
		put(&image, i, (const uint8_t[]){ (uint8_t)chance(256) }, 1);
	write_file("-shm",
	    f->names[JOURNAL_WAL] != NULL && chance(2) == 0 ? image.bytes :
							      NULL,
	    32768);
}

/* ---- is it sound? ---- */

struct reader {
	char names[PUBLISHERS_MAX][32];
	unsigned last[PUBLISHERS_MAX];
	int64_t max;
	unsigned kept; /* of what was acknowledged */
};

static bool
on_row(void *cookie, const struct event *e)
{
	struct reader *r = cookie;
	char text[64], name[32];
	unsigned number, i = 0;

	(void)snprintf(text, sizeof(text), "%.*s",
	    (int)(e->data.len < 60 ? e->data.len : 60), e->data.bytes);
	if (sscanf(text, "%31s %u", name, &number) != 2)
		wrong("id %" PRId64 " is no event of ours: %s", e->id, text);
	while (i < PUBLISHERS_MAX && r->names[i][0] != '\0' &&
	    strcmp(r->names[i], name) != 0)
		i++;
	if (i == PUBLISHERS_MAX)
		wrong("more than %d publishers", PUBLISHERS_MAX);
	memcpy(r->names[i], name, sizeof(name));
	if (number != ++r->last[i])
		wrong("of %s, number %u comes where %u should", name, number,
		    r->last[i]);
	if (e->id < IDS_MAX && acknowledged[e->id])
		r->kept++;
	r->max = e->id;
	return true;
}

static void
on_finding(void *cookie, enum log_finding finding, const char *about,
    const char *line)
{
	(void)cookie;
	if (finding == LOG_FINDING_WRONG)
		wrong("%s: %s", about, line);
}

/* The next one to publish: his id must be new. */
static void
publish(struct log *log)
{
	const struct event e = { .name = { "message", 7 },
		.data = { "after 1", 7 },
		.retry_ms = EVENT_NO_RETRY };
	struct log_receipt receipt;
	size_t culprit;

	if (log_append(log, &e, 1, &receipt, &culprit) != LOG_OK)
		wrong("nothing can be published: %s", log_why(log));
	if (receipt.id <= last_acknowledged && is_full)
		wrong("id %" PRId64 " is given again", receipt.id);
	counts.again += receipt.id <= last_acknowledged ? 1 : 0;
}

static void
look(const char *path)
{
	const struct log_options options = { .path = path,
		.create = true,
		.append = true,
		.no_sync = true };
	const struct log_check_options checks = { .is_full = true };
	struct log_range range = { .upto = INT64_MAX, .max_rows = IDS_MAX };
	struct reader r = { 0 };
	char why[LOG_WHY_MAX];
	struct log *log;
	int64_t reached;

	/* an empty log is one of those that are made while it is opened */
	if (log_open(&options, &log, why) != LOG_OK)
		wrong("it does not open: %s", why);
	if (log_read(log, &range, on_row, &r, &reached) != LOG_OK)
		wrong("it cannot be read: %s", log_why(log));
	log_close(log);
	log_check(path, &checks, on_finding, NULL);
	if (is_full && r.kept != n_acknowledged)
		wrong("%u of %u that were acknowledged are there, up to id"
		      " %" PRId64 " of %" PRId64,
		    r.kept, n_acknowledged, r.max, last_acknowledged);
	if (n_acknowledged - r.kept > counts.lost)
		counts.lost = n_acknowledged - r.kept;
	if (log_open(&options, &log, why) != LOG_OK)
		wrong("it does not open again: %s", why);
	publish(log);
	log_close(log);
	counts.states++;
}

/* ---- */

static void
read_journal(const char *path)
{
	struct stat st;
	uint8_t *bytes;
	size_t at = 0, capacity = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) != 0 ||
	    (bytes = malloc((size_t)st.st_size + 1)) == NULL ||
	    read(fd, bytes, (size_t)st.st_size) != st.st_size) {
		perror(path);
		exit(2);
	}
	(void)close(fd);
	while (at + sizeof(struct journal_record) <= (size_t)st.st_size) {
		if (n_ops == capacity) {
			capacity = 2 * capacity + 1024;
			ops = larger(ops, capacity * sizeof(*ops));
		}
		memcpy(&ops[n_ops].r, bytes + at, sizeof(ops[n_ops].r));
		at += sizeof(ops[n_ops].r);
		ops[n_ops].bytes = bytes + at;
		at += ops[n_ops++].r.len;
	}
}

int
main(int argc, char **argv)
{
	char path[4096];
	size_t every;

	if (argc != 6)
		return 2;
	folder = argv[2];
	is_full = strcmp(argv[3], "full") == 0;
	every = strtoul(argv[4], NULL, 10);
	chance_state = strtoul(argv[5], NULL, 10);
	(void)snprintf(path, sizeof(path), "%s/events.db", folder);
	read_journal(argv[1]);
	for (cut.at = 0; cut.at < n_ops; cut.at++) {
		do_op(cut.at);
		if (chance((unsigned)every) != 0)
			continue;
		counts.cuts++;
		for (unsigned i = 0; i < KINDS + 1; i++) {
			cut.kind = i < KINDS ? (enum left)i : CHANCE;
			write_files();
			look(path);
		}
	}
	(void)
	    printf("%u cuts in %zu records, %u states; %u acknowledged, at most"
		   " %u of them lost, ids given again in %u states\n",
		counts.cuts, n_ops, counts.states, n_acknowledged, counts.lost,
		counts.again);
	return 0;
}
