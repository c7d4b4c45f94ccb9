/*
 * leaves: rows are found without the tree, and no file makes it read beyond
 * what is there.
 */
#include "logs.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/log/image.h"
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
			size_t at = tap_random(whole);

			if (k % 2 == 0)
				at = at / 1024 * 1024 + tap_random(40);
			bytes[at % whole] = (unsigned char)tap_random(256);
		}
		write_file((char *)bytes,
		    i % 3 == 0 ? tap_random(whole) : whole);
		is_good = is_good && count(&sum) >= 0;
	}
	check(is_good, "leaves: damaged files are read as far as they go");
	free(good);
}

/* ---- files made by hand, with pages of 4096 bytes ---- */

static unsigned char pages[3 * 4096];

/* Make page 2 a leaf with n pointers to one cell, which ends the page. */
static void
make_leaf(const unsigned char *cell, size_t cell_len, size_t n)
{
	unsigned char *page = pages + 4096;
	size_t at = 4096 - cell_len;

	memset(pages, 0, sizeof(pages));
	page[0] = 0x0d;
	page[3] = (unsigned char)(n >> 8);
	page[4] = (unsigned char)(n & 0xff);
	for (size_t i = 0; i < n; i++) {
		page[8 + 2 * i] = (unsigned char)(at >> 8);
		page[9 + 2 * i] = (unsigned char)(at & 0xff);
	}
	memcpy(page + at, cell, cell_len);
	new_path();
	write_file((char *)pages, sizeof(pages));
}

static void
check_short_header(void)
{
	/* the header is longer than the 1 that it says in two bytes */
	static const unsigned char cell[] = { 12, 1, 0x80, 1, 0, 13, 15, 13, 0,
		0, 8, 'e', 'e', 'e' };
	unsigned sum = 0;

	make_leaf(cell, sizeof(cell), 1);
	check(count(&sum) == 0, "leaves: a header shorter than its length");
}

/* Rows of 60,000,000 bytes, of which 3,096 are in the leaf.  Each overflow page
   is followed by itself, so the reading of each row takes 14,659 reads. */
static void
check_circle(void)
{
	static unsigned char cell[5 + 3096 + 4] = { 0x9c, 0xce, 0x8e, 0, 1, 11,
		0, 13, 15, 0xb9, 0x9c, 0x9b, 0x75, 0, 0, 8, 'e' };
	unsigned sum = 0;

	cell[sizeof(cell) - 1] = 3;
	make_leaf(cell, sizeof(cell), 400);
	pages[2 * 4096 + 3] = 3;
	write_file((char *)pages, sizeof(pages));
	if (truncate(path, 61 * 1000000) != 0)
		abort();
	check(count(&sum) == 0, "leaves: overflow pages in a circle");
}

/* ---- other parts of the file ---- */

/* The list of free pages begins with a page that is not free. */
static void
check_free_list(void)
{
	unsigned sum = 0;
	size_t page = 2;

	make(4096);
	read_whole(path);
	while (bytes[(page - 1) * 4096] != 0x0d ||
	    bytes[(page - 1) * 4096 + 4] < 10)
		page++;
	bytes[32] = bytes[33] = 0;
	bytes[34] = (unsigned char)(page >> 8);
	bytes[35] = (unsigned char)(page & 0xff);
	write_file((char *)bytes, len);
	check(count(&sum) == ROWS, "leaves: a list of free pages that is none");
}

/* A frame of the WAL is of a page that there cannot be. */
static void
check_frame(void)
{
	static const unsigned char page[] = { 0x7f, 0xff, 0xff, 0xff, 0, 0, 0,
		1 };
	static unsigned char wal[32 + 24 + 4096];
	char text[100];
	struct image im;
	FILE *f;

	make_leaf((const unsigned char *)"", 1, 0);
	wal[10] = 0x10; /* the size of pages */
	memcpy(wal + 32, page, sizeof(page));
	(void)snprintf(text, sizeof(text), "%s-wal", path);
	f = fopen(text, "w");
	if (f == NULL || fwrite(wal, 1, sizeof(wal), f) != sizeof(wal) ||
	    fclose(f) != 0)
		abort();
	check(image_open(&im, path) == 0 && im.pages == 3,
	    "leaves: a page that the WAL cannot have");
	image_close(&im);
}

/* Texts would be taken for UTF-8. */
static void
check_utf16(void)
{
	unsigned sum = 0;

	new_path();
	sql("PRAGMA encoding = 'UTF-16be';\n.read sql/schema.sql\n");
	sql("INSERT INTO events(topic, event, data)"
	    " VALUES(char(0x4141), char(0x4141), char(0x4141));"
	    "INSERT INTO events(data) VALUES('x');");
	check(count(&sum) == 0, "leaves: no rows in UTF-16");
	read_whole(path);
	memset(bytes, 0, 100);
	write_file((char *)bytes, len);
	check(count(&sum) == 1, "leaves: few without a header");
}

int
main(void)
{
	if (!begin())
		return 0;
	check_found(512);
	check_found(4096);
	check_found(65536);
	new_path();
	check(leaves_new(path) == NULL, "leaves: no file");
	check_damaged();
	check_short_header();
	check_circle();
	check_free_list();
	check_frame();
	check_utf16();
	free(bytes);
	leaves_free(NULL);
	return end();
}
