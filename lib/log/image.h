#ifndef ROWCAST_LOG_IMAGE_H
#define ROWCAST_LOG_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The pages of a database file as they are, each as its last commit left it: in
 * the file or in its WAL.  Read without SQLite, because the file is damaged.
 *   page_bytes  512..65536
 *   usable      of them, without what extensions reserve
 *   pages       in the file and the WAL; they are numbered from 1
 *   is_utf16    texts are in UTF-16, as far as the header can be read
 * The other members are private.
 *   source      "SQLite Database File Format", 1.3, 1.5 and 4
 */
struct image {
	uint32_t page_bytes;
	uint32_t usable;
	uint32_t pages;
	bool is_utf16;
	uint32_t pages_max;
	int file;
	int wal;
	int64_t *in_wal; /* offset of the newest copy of a page; 0: none */
	unsigned char *is_free;
};

#define IMAGE_PAGE_MAX 65536

/* Returns the big-endian number of 2 or 4 bytes. */
uint32_t image_number(const unsigned char *bytes, int n);

/*
 * Open the files of a database.  No connection of this process may be open that
 * is to write: image_close() releases its locks.
 *   returns  0; -1 with errno
 *   owns     the caller calls image_close(), also after an error
 */
int image_open(struct image *im, const char *path);
void image_close(struct image *im);

/* Read a page into bytes[0..page_bytes).  Returns 0; -1 if there is none, it
   cannot be read, or the database has freed it. */
int image_read(const struct image *im, uint32_t page, unsigned char *bytes);

/*
 * Returns whether there are commits in the WAL that SQLite does not see, as
 * something before them is damaged; false if the files cannot be read.  Call it
 * while no connection of this process is open.
 */
bool image_has_hidden_commits(const char *path);

#endif
