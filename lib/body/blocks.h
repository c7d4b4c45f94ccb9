#ifndef ROWCAST_BLOCKS_H
#define ROWCAST_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/text.h"

/*
 * Cut a body that arrives in pieces into blocks.  Pure.
 */

enum blocks_kind {
	BLOCKS_WHOLE, /* the body is one block: blocks_rest() at its end */
	BLOCKS_LINE,  /* each line is one; line ends are LF */
	BLOCKS_EVENT, /* each event of a text/event-stream is one: lines up to
	                 an empty one; line ends are LF, CR or CRLF */
};

/*
 * Set kind and max_bytes; all else begins as 0.  The caller frees buffer at the
 * end, and may read block_line: the number, from 0, of the first line of the
 * current block.  All other members are private.
 */
struct blocks {
	enum blocks_kind kind;
	size_t max_bytes; /* of a block */
	uint64_t block_line;
	char *buffer;
	size_t len;
	size_t cap;
	size_t block;   /* the current block begins here */
	size_t line;    /* and its last line here */
	size_t at;      /* searched up to here */
	size_t next;    /* behind a block that was returned; 0: none */
	bool skips_lf;  /* a CR ended the last piece */
	size_t skipped; /* line feeds of the block that were skipped */
	bool is_past_bom;
	uint64_t lines; /* complete so far */
};

/*
 * Add a piece; call blocks_next() until BLOCKS_MORE before.
 *   units    expected: bytes of the body as far as known, else 0
 *   returns  0; -1 if out of memory
 */
int blocks_add(struct blocks *b, const char *bytes, size_t len,
    size_t expected);

enum blocks_result {
	BLOCKS_BLOCK, /* *block is set, without its last line end */
	BLOCKS_MORE,  /* the next block is incomplete */
	BLOCKS_LONG,  /* the next block is longer than max_bytes */
};

/* Cut off the next block, which may be empty; lent until the next call. */
enum blocks_result blocks_next(struct blocks *b, struct text *block);

/* What is left after BLOCKS_MORE; lent until the next call. */
struct text blocks_rest(const struct blocks *b);

#endif
