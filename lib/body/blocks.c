/*
 * Cut a body into lines or events.
 *
 * The incomplete block is kept at the front of the buffer.  Each byte is
 * searched once, however small the pieces are, and where the body was cut does
 * not matter.
 */
#include "blocks.h"

#include <stdlib.h>
#include <string.h>

/* Move the incomplete block to the front and make room for len bytes more. */
static int
make_room(struct blocks *b, size_t len, size_t expected)
{
	size_t kept = b->len - b->block, cap = kept + len;
	char *grown;

	if (b->block > 0)
		memmove(b->buffer, b->buffer + b->block, kept);
	b->len = kept;
	b->line -= b->block;
	b->at -= b->block;
	b->block = 0;
	if (cap <= b->cap)
		return 0;
	/* do not copy for each small piece */
	cap = expected >= cap ? expected : cap + cap / 2;
	grown = realloc(b->buffer, cap);
	if (grown == NULL)
		return -1;
	b->buffer = grown;
	b->cap = cap;
	return 0;
}

/* An event stream may begin with a byte order mark. */
static void
skip_bom(struct blocks *b)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (b->is_past_bom || b->lines > 0 || b->len < 3)
		return;
	b->is_past_bom = true;
	if (b->kind == BLOCKS_EVENT && memcmp(b->buffer, bom, 3) == 0)
		b->block = b->line = b->at = 3;
}

int
blocks_add(struct blocks *b, const char *bytes, size_t len, size_t expected)
{
	if (len == 0)
		return 0;
	if (b->skips_lf && bytes[0] == '\n') {
		b->skipped += b->len > b->block ? 1 : 0;
		bytes++;
		len--;
	}
	b->skips_lf = false;
	if (make_room(b, len, expected) != 0)
		return -1;
	memcpy(b->buffer + b->len, bytes, len);
	b->len += len;
	skip_bom(b);
	return 0;
}

/* Returns the position of the next line end, or len if there is none. */
static size_t
find_line_end(const struct blocks *b)
{
	size_t at = b->at;

	while (at < b->len && b->buffer[at] != '\n' &&
	    (b->buffer[at] != '\r' || b->kind == BLOCKS_LINE))
		at++;
	return at;
}

enum blocks_result
blocks_next(struct blocks *b, struct text *block)
{
	size_t end, next;
	bool is_whole;

	if (b->next > 0) {
		b->block = b->next;
		b->block_line = b->lines;
		b->next = b->skipped = 0;
	}
	while ((end = find_line_end(b)) < b->len) {
		next = end + 1;
		if (b->buffer[end] == '\r' && next == b->len)
			b->skips_lf = true;
		else if (b->buffer[end] == '\r' && b->buffer[next] == '\n')
			next++;
		is_whole = b->kind == BLOCKS_LINE || end == b->line;
		*block = (struct text){ b->buffer + b->block, end - b->block };
		if (block->len + b->skipped > b->max_bytes)
			return BLOCKS_LONG;
		b->lines++;
		b->line = b->at = next;
		if (is_whole) {
			b->next = next;
			return BLOCKS_BLOCK;
		}
	}
	b->at = b->len;
	return b->len - b->block + b->skipped > b->max_bytes ? BLOCKS_LONG :
							       BLOCKS_MORE;
}

struct text
blocks_rest(const struct blocks *b)
{
	if (b->len == b->block)
		return (struct text){ NULL, 0 };
	return (struct text){ b->buffer + b->block, b->len - b->block };
}
