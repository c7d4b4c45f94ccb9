/*
 * Memory is asked for and given back.
 */
#include "memory.h"

#include <sys/mman.h>

#include <stdlib.h>

#define PIECE_BYTES 65536
#define HEAP_BYTES \
	122880 /* so much malloc() has without a mapping of its own */

/* What has been given back lies about in pieces, and still counts as taken by
   the limits of the system. */
static bool
is_there_in_pieces(size_t len)
{
	void *taken = NULL, *p;

	while (len > 0 && (p = malloc(PIECE_BYTES)) != NULL) {
		*(void **)p = taken;
		taken = p;
		len -= len < PIECE_BYTES ? len : PIECE_BYTES;
	}
	while ((p = taken) != NULL) {
		taken = *(void **)p;
		free(p);
	}
	return len == 0;
}

bool
memory_is_free(size_t len)
{
	void *p;

	if (len <= HEAP_BYTES) {
		p = malloc(len);
		free(p);
		return p != NULL;
	}
	/* free() of a large one would have malloc() keep more from then on */
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    /* cppcheck-suppress invalidFunctionArg */
	    -1, 0);
	if (p == MAP_FAILED)
		return is_there_in_pieces(len);
	(void)munmap(p, len); /* cannot fail */
	return true;
}
