/*
 * Memory is allocated and freed at once, to see whether that is possible.
 */
#include "memory.h"

#include <sys/mman.h>

#include <stdlib.h>

#define PIECE_BYTES 65536
#define HEAP_BYTES \
	122880 /* malloc() uses no separate mapping up to this size */

/*
 * malloc(), by a call that no compiler may remove: the language lets it assume
 * that an allocation succeeds which is only compared with NULL and freed, and
 * clang does.  It cannot know what a volatile pointer points to.
 */
static void *
allocate(size_t len)
{
	void *(*volatile function)(size_t) = malloc;

	return function(len);
}

bool
memory_is_allocatable(size_t len)
{
	void *p = allocate(len);

	free(p);
	return p != NULL;
}

/* Memory that was freed may be left in pieces, which still count towards the
   limits of the system. */
static bool
is_free_in_pieces(size_t len)
{
	void *taken = NULL, *p;

	while (len > 0 && (p = allocate(PIECE_BYTES)) != NULL) {
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

	if (len <= HEAP_BYTES)
		return memory_is_allocatable(len);
	/* free() of a large block would let malloc() keep more from then on */
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    /* cppcheck-suppress invalidFunctionArg */
	    -1, 0);
	if (p == MAP_FAILED)
		return is_free_in_pieces(len);
	(void)munmap(p, len); /* cannot fail */
	return true;
}
