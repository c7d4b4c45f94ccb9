#ifndef ROWCAST_PAGES_H
#define ROWCAST_PAGES_H

#include "chunk.h"

/*
 * Older parts of the log, each read for one client and kept for a while,
 * because clients that reconnect together ask for the same.  The least recently
 * used page is dropped first.
 */
struct pages;

/*
 *   units    capacity in bytes of memory; one page is kept in any case
 *   returns  NULL if out of memory
 *   owns     the caller frees with pages_free()
 */
struct pages *pages_new(size_t capacity);
void pages_free(struct pages *ps); /* ps may be NULL */

/*
 * Find the page with the events after a cursor: after <= cursor < upto; if the
 * first of them is huge, with the byte at the offset part of its data.
 *   shape    key is the key of the filter that the page was read for, or empty
 *            for pages that hold everything
 *   returns  NULL if there is none
 *   owns     lent until the next pages_keep() or pages_forget()
 */
const struct chunk *pages_find(struct pages *ps, struct text key,
    int64_t cursor, size_t part);

/*
 * Keep a page.
 *   returns  the page, lent as above; NULL if out of memory
 *   owns     copies key; takes c, also if it returns NULL
 */
const struct chunk *pages_keep(struct pages *ps, struct text key,
    struct chunk *c);

/* Drop all pages that may hold events with id <= upto. */
void pages_forget(struct pages *ps, int64_t upto);

#endif
