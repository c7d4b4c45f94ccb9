/*
 * leaves: rows are found without the tree, and no file makes it read beyond what
 * is there.
 */
#include "logs.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/log/leaves.h"

#define ROWS 400
#define FILES 400 /* with random damage */

static unsigned char *bytes;
static size_t len;

static void
read_whole(const char *name)
{
	struct stat st;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) != 0)
		abort();
	len = (size_t)st.st_size;
	free(bytes);
	bytes = malloc(len);
	if (bytes == NULL || read(fd, bytes, len) != (ssize_t)len)
		abort();
	(void)close(fd);
}

/* Count the rows that are found; *sum adds up all their bytes, so that each is
   read. */
static int64_t
count(unsigned *sum)
{
	struct leaves *l = leaves_new(path);
	struct event e;
	int64_t n = 0, from = 1;

	if (l == NULL)
		return -1;
	while (from <= EVENT_ID_MAX &&
	    leaves_find(l, from, EVENT_ID_MAX, &e) == LEAVES_ROW) {
		const struct text texts[] = { e.topic, e.name, e.data, e.key };

		for (size_t i = 0; i < 4; i++)
			for (size_t at = 0; at < texts[i].len; at++)
				*sum += (unsigned char)texts[i].bytes[at];
		if (e.id < from)
			return -1;
		from = e.id + 1;
		n++;
	}
	leaves_free(l);
	return n;
}

static void
make(int page_bytes)
{
	char text[512];

	new_path();
	(void)snprintf(text, sizeof(text), "PRAGMA page_size = %d;\n.read %s",
	    page_bytes, "sql/schema.sql\n");
	sql(text);
	sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 399) INSERT INTO events(topic, data, retry_ms, key)"
	    " SELECT 't' || i, printf('%.*c', i * 40, 'x'),"
	    " iif(i % 2, NULL, i * 1000), iif(i % 3, NULL, 'k' || i) FROM n;"
	    "DROP TRIGGER events_in_order;"
	    "INSERT INTO events(id, data, created_ms) VALUES(9007199254740000,"
	    " 'far', -5);"
	    "PRAGMA wal_checkpoint(TRUNCATE);");
}

static void
check_found(int page_bytes)
{
	struct leaves *l;
	struct event e = { 0 };
	unsigned sum = 0;
	char name[80];

	make(page_bytes);
	(void)snprintf(name, sizeof(name),
	    "leaves: all rows, pages of %d bytes", page_bytes);
	check(count(&sum) == ROWS, "%s", name);
	l = leaves_new(path);
	check(l != NULL && leaves_find(l, 6, 6, &e) == LEAVES_ROW &&
		e.id == 6 && text_is(e.topic, "t6") &&
		text_is(e.name, "message") && e.data.len == 240 &&
		e.retry_ms == 6000 && text_is(e.key, "k6") &&
		e.created_ms > 1000000,
	    "leaves: a row has all its fields");
	check(l != NULL &&
		leaves_find(l, 1000, EVENT_ID_MAX, &e) == LEAVES_ROW &&
		e.id == 9007199254740000 && e.created_ms == -5 &&
		e.retry_ms == EVENT_NO_RETRY && e.key.bytes == NULL,
	    "leaves: large ids and numbers below 0");
	check(l != NULL && leaves_find(l, 1000, 2000, &e) == LEAVES_END,
	    "leaves: none between");
	leaves_free(l);
}

/* Overwrite a few bytes, of pages or of their headers; also cut the file. */
static void
check_damaged(void)
{
	unsigned char *good;
	unsigned sum = 0;
	bool is_good = true;
	size_t whole;

	make(1024);
	read_whole(path);
	whole = len;
	good = malloc(whole);
	if (good == NULL)
		abort();
	memcpy(good, bytes, whole);
	for (int i = 0; i < FILES; i++) {
		memcpy(bytes, good, whole);
		for (int k = 0; k < 200; k++) {
			size_t at = (size_t)rand() % whole;

			if (k % 2 == 0)
				at = at / 1024 * 1024 + (size_t)rand() % 40;
			bytes[at % whole] = (unsigned char)rand();
		}
		write_file((char *)bytes,
		    i % 3 == 0 ? (size_t)rand() % whole : whole);
		is_good = is_good && count(&sum) >= 0;
	}
	check(is_good, "leaves: damaged files are read as far as they go");
	free(good);
	free(bytes);
}

int
main(void)
{
	if (!begin())
		return 0;
	srand(1);
	check_found(512);
	check_found(4096);
	check_found(65536);
	new_path();
	check(leaves_new(path) == NULL, "leaves: no file");
	check_damaged();
	leaves_free(NULL);
	return end();
}
