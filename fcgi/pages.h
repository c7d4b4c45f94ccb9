#ifndef ROWCAST_PAGES_H
#define ROWCAST_PAGES_H

#include "chunk.h"

/*
 * Older parts of the log that were read for one client and stay for a while,
 * since those who come back together ask for the same.  The least used goes
 * first.
 */
struct pages;

/*
 *   units    capacity in bytes of memory; one page is kept in any case
 *   returns  NULL if out of memory
 *   owns     the caller; pages_free()
 */
struct pages *pages_new(size_t capacity);
void pages_free(struct pages *ps); /* ps may be NULL */

/*
 * The page with what comes next after a cursor: after <= cursor < upto.
 *   shape    key says for whom a page is: the key of a filter, or empty for
 *            pages that hold everything
 *   returns  NULL if there is none
 *   owns     lent until the next pages_keep() or pages_forget()
 */
const struct chunk *pages_find(struct pages *ps, struct text key,
    int64_t cursor);

/*
 * Keep a page.
 *   returns  the page, lent as above; NULL if out of memory
 *   owns     copies key; takes c in any case
 */
const struct chunk *pages_keep(struct pages *ps, struct text key,
    struct chunk *c);

/* Drop what may hold events with id <= upto. */
void pages_forget(struct pages *ps, int64_t upto);

#endif
