/*
 * The pages of a database file, without SQLite.
 *
 * Nothing in the file is trusted: a number that leads out of it ends the search
 * for more, not the reading.  Checksums of the WAL are not compared: damage
 * within a page is found by the readers of pages.
 */
#include "image.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES 100
#define HEADER_MAGIC "SQLite format 3"
#define WAL_HEADER_BYTES 32
#define FRAME_HEADER_BYTES 24
#define PAGES_MAX 0x7fffffffU
#define DEFAULT_PAGE_BYTES 4096
#define UTF_16LE 2
#define UTF_16BE 3

uint32_t
image_number(const unsigned char *bytes, int n)
{
	uint32_t number = 0;

	for (int i = 0; i < n; i++)
		number = number << 8 | bytes[i];
	return number;
}

static bool
is_page_size(uint32_t bytes)
{
	return bytes >= 512 && bytes <= IMAGE_PAGE_MAX &&
	    (bytes & (bytes - 1)) == 0;
}

static int64_t
file_size(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
}

/* Read bytes at an offset; false unless all are there. */
static bool
read_at(int fd, int64_t at, unsigned char *bytes, size_t len)
{
	return fd >= 0 && pread(fd, bytes, len, at) == (ssize_t)len;
}

/* The header of the file may be damaged; the WAL then has the page size. */
static void
read_sizes(struct image *im)
{
	unsigned char header[HEADER_BYTES] = { 0 };
	uint32_t bytes = 0, reserved = 0, encoding = 0;

	if (read_at(im->file, 0, header, sizeof(header)) &&
	    memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) == 0) {
		bytes = image_number(header + 16, 2);
		bytes = bytes == 1 ? IMAGE_PAGE_MAX : bytes;
		reserved = header[20];
		encoding = image_number(header + 56, 4);
	}
	if (!is_page_size(bytes) &&
	    read_at(im->wal, 0, header, WAL_HEADER_BYTES))
		bytes = image_number(header + 8, 4);
	im->page_bytes = is_page_size(bytes) ? bytes : DEFAULT_PAGE_BYTES;
	im->usable = im->page_bytes - (reserved <= 32 ? reserved : 0);
	im->is_utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
}

/* Call frame for the frames of the WAL up to its last commit, in order. */
static void
visit_frames(struct image *im,
    void (*frame)(struct image *im, uint32_t page, int64_t at))
{
	const int64_t step = FRAME_HEADER_BYTES + (int64_t)im->page_bytes;
	unsigned char header[WAL_HEADER_BYTES], f[FRAME_HEADER_BYTES];
	int64_t end = 0;

	if (!read_at(im->wal, 0, header, sizeof(header)) ||
	    image_number(header + 8, 4) != im->page_bytes)
		return;
	for (int pass = 0; pass < 2; pass++)
		for (int64_t at = sizeof(header); (pass == 0 || at < end) &&
		     read_at(im->wal, at, f, sizeof(f)) &&
		     memcmp(f + 8, header + 16, 8) == 0;
		     at += step)
			if (pass == 1)
				frame(im, image_number(f, 4),
				    at + (int64_t)sizeof(f));
			else if (image_number(f + 4, 4) != 0)
				end = at + step;
}

static void
count_frame(struct image *im, uint32_t page, int64_t at)
{
	(void)at;
	if (page > im->pages && page <= im->pages_max)
		im->pages = page;
}

/* A damaged frame may be of any page.  The database cannot have grown by more
   pages than the WAL has room for. */
static void
count_pages(struct image *im)
{
	int64_t pages = file_size(im->file) / im->page_bytes;
	int64_t most = pages + file_size(im->wal) / im->page_bytes;

	im->pages = pages < PAGES_MAX ? (uint32_t)pages : PAGES_MAX;
	im->pages_max = most < PAGES_MAX ? (uint32_t)most : PAGES_MAX;
	visit_frames(im, count_frame);
}

static void
note_frame(struct image *im, uint32_t page, int64_t at)
{
	if (page > 0 && page <= im->pages)
		im->in_wal[page] = at;
}

/* Add bytes to a checksum of the WAL, as numbers of 4 bytes in one of two
   orders. */
static void
add_sum(uint32_t sum[2], const unsigned char *bytes, size_t len, bool is_big)
{
	for (size_t at = 0; at + 8 <= len; at += 8)
		for (size_t i = 0; i < 2; i++) {
			uint32_t n = image_number(bytes + at + 4 * i, 4);

			sum[i] +=
			    (is_big ? n : __builtin_bswap32(n)) + sum[1 - i];
		}
}

static bool
is_sum(const uint32_t sum[2], const unsigned char *bytes)
{
	return image_number(bytes, 4) == sum[0] &&
	    image_number(bytes + 4, 4) == sum[1];
}

/* Returns whether SQLite reads all frames of the WAL up to the last commit: it
   ends at the first one whose checksum is wrong. */
static bool
is_wal_whole(const struct image *im)
{
	unsigned char header[WAL_HEADER_BYTES], f[FRAME_HEADER_BYTES];
	unsigned char bytes[IMAGE_PAGE_MAX];
	uint32_t sum[2] = { 0, 0 };
	int64_t at = sizeof(header);
	bool is_big, is_whole;

	if (!read_at(im->wal, 0, header, sizeof(header)))
		return true; /* there is none */
	is_big = (header[3] & 1) != 0;
	add_sum(sum, header, WAL_HEADER_BYTES - 8, is_big);
	is_whole = is_sum(sum, header + WAL_HEADER_BYTES - 8);
	while (read_at(im->wal, at, f, sizeof(f)) &&
	    memcmp(f + 8, header + 16, 8) == 0 &&
	    read_at(im->wal, at + FRAME_HEADER_BYTES, bytes, im->page_bytes)) {
		add_sum(sum, f, 8, is_big);
		add_sum(sum, bytes, im->page_bytes, is_big);
		is_whole = is_whole && is_sum(sum, f + 16);
		if (!is_whole && image_number(f + 4, 4) != 0)
			return false;
		at += FRAME_HEADER_BYTES + (int64_t)im->page_bytes;
	}
	return true;
}

/* Pages in the list of free pages hold rows that were removed.  A page that
   cannot be one of that list ends it. */
static void
mark_free(struct image *im)
{
	unsigned char bytes[IMAGE_PAGE_MAX];
	uint32_t trunk, n;

	if (image_read(im, 1, bytes) != 0 ||
	    memcmp(bytes, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0)
		return;
	trunk = image_number(bytes + 32, 4);
	while (image_read(im, trunk, bytes) == 0) {
		n = image_number(bytes + 4, 4);
		if (n > im->usable / 4 - 2 ||
		    image_number(bytes, 4) > im->pages)
			return;
		im->is_free[trunk] = 1;
		for (uint32_t i = 0; i < n; i++) {
			uint32_t page =
			    image_number(bytes + 8 + (size_t)i * 4, 4);

			if (page <= im->pages)
				im->is_free[page] = 1;
		}
		trunk = image_number(bytes, 4);
	}
}

int
image_open(struct image *im, const char *path)
{
	char real[PATH_MAX], wal[PATH_MAX + 8];

	*im = (struct image){ .file = -1, .wal = -1 };
	if (realpath(path, real) == NULL)
		return -1;
	(void)snprintf(wal, sizeof(wal), "%s-wal", real);
	im->file = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (im->file < 0)
		return -1;
	/* there may be no WAL; a FIFO in its place must not block */
	im->wal = open(wal, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	read_sizes(im);
	count_pages(im);
	im->in_wal = calloc((size_t)im->pages + 1, sizeof(*im->in_wal));
	im->is_free = calloc((size_t)im->pages + 1, 1);
	if (im->in_wal == NULL || im->is_free == NULL) {
		errno = ENOMEM;
		return -1;
	}
	visit_frames(im, note_frame);
	mark_free(im);
	return 0;
}

void
image_close(struct image *im)
{
	if (im->file >= 0)
		(void)close(im->file); /* it was only read */
	if (im->wal >= 0)
		(void)close(im->wal);
	free(im->in_wal);
	free(im->is_free);
}

int
image_read(const struct image *im, uint32_t page, unsigned char *bytes)
{
	bool is_there;

	if (page == 0 || page > im->pages || im->is_free[page])
		return -1;
	if (im->in_wal[page] != 0)
		is_there =
		    read_at(im->wal, im->in_wal[page], bytes, im->page_bytes);
	else
		is_there =
		    read_at(im->file, (int64_t)(page - 1) * im->page_bytes,
			bytes, im->page_bytes);
	return is_there ? 0 : -1;
}

bool
image_has_hidden_commits(const char *path)
{
	struct image im;
	bool has = image_open(&im, path) == 0 && !is_wal_whole(&im);

	image_close(&im);
	return has;
}
