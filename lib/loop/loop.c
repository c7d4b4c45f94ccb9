/*
 * The memory of libuv's loop: uv__io_start() calls abort() if its list cannot
 * grow.
 */
#include "loop.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/memory.h"
#include "lib/warn.h"

/* In our use of libuv, only that list is ever reallocated. */
static void *
grow(void *list, size_t len)
{
	void *p = realloc(list, len);

	if (p == NULL && len > 0) {
		warn_line("main: out of memory for descriptors");
		_exit(EXIT_FAILURE); /* libuv would abort */
	}
	return p;
}

int
loop_open(uv_loop_t *loop)
{
	if (uv_replace_allocator(malloc, grow, calloc, free) != 0)
		return -1;
	return uv_loop_init(loop) == 0 ? 0 : -1;
}

/* The list grows to the next power of two. */
bool
loop_has_room(const uv_loop_t *loop, int fd)
{
	return (unsigned)fd < loop->nwatchers ||
	    memory_is_free(((size_t)fd + 2) * 2 * sizeof(void *));
}
