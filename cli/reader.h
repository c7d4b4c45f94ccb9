#ifndef ROWCAST_READER_H
#define ROWCAST_READER_H

#include "selection.h"

/*
 * Reads the events of a selection from a log that goes on growing, or that is
 * replaced meanwhile: each once and in order of ids, or it says that it cannot.
 */
struct reader;

/*
 *   start    where it begins: after this id
 *   event    one event, with key; lent until it returns.  Returns false to
 *            leave it: reading ends there, for now
 *   gap      some events after one id and before the other were removed
 *   reset    the log is another one, or an older copy, and ends at head: what
 *            was read is void
 * All but event may be NULL.
 */
struct reader_handler {
	void (*start)(void *cookie, int64_t cursor);
	bool (*event)(void *cookie, const struct event *e, int64_t created_ms);
	void (*gap)(void *cookie, int64_t after, int64_t next);
	void (*reset)(void *cookie, int64_t after, int64_t head);
	void *cookie;
};

/*
 *   upto     no event beyond this id; INT64_MAX for all
 *   returns  NULL if out of memory
 *   owns     the caller; reader_free(), which closes log.  On NULL it does not
 *            Lends the rest
 */
struct reader *reader_new(struct log *log, const struct args *a,
    const struct selection *s, int64_t upto,
    const struct reader_handler *handler);
void reader_free(struct reader *r); /* r may be NULL */

enum reader_result {
	READER_MORE,    /* call again: there is more, or there may be */
	READER_END,     /* that was all, for now */
	READER_TROUBLE, /* the log cannot be read: reader_why().  What the
	                   handler was told in this step is void, and will be
	                   told again */
};

/* Read on, a page at most. */
enum reader_result reader_step(struct reader *r);

/* The events up to this id have been read or passed over. */
int64_t reader_cursor(const struct reader *r);

/* One line about the last trouble. */
const char *reader_why(const struct reader *r);

#endif
