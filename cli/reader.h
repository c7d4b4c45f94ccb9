#ifndef ROWCAST_READER_H
#define ROWCAST_READER_H

#include "selection.h"

/*
 * Reads the events of a selection from a log that grows, or is replaced, in the
 * meantime: each once and in id order.  If that is impossible, it calls gap()
 * or reset().
 */
struct reader;

/*
 *   start    reading begins after this id
 *   event    one event, with key and created_ms; lent until it returns.
 *            Return false to leave it unread: the step ends there
 *   gap      some events between two ids were removed
 *   reset    the log was replaced or is an older copy, and ends at head:
 *            discard what was read
 * All but event may be NULL.  None may call a function of the reader but
 * reader_cursor().
 */
struct reader_handler {
	void (*start)(void *cookie, int64_t cursor);
	bool (*event)(void *cookie, const struct event *e);
	void (*gap)(void *cookie, int64_t after, int64_t next);
	void (*reset)(void *cookie, int64_t after, int64_t head);
	void *cookie;
};

/*
 *   upto     the last id to read; INT64_MAX for all
 *   returns  NULL if out of memory
 *   owns     the caller frees with reader_free(), which closes log.  Takes log,
 *            unless it returns NULL; borrows the other arguments
 */
struct reader *reader_new(struct log *log, const struct args *a,
    const struct selection *s, int64_t upto,
    const struct reader_handler *handler);
void reader_free(struct reader *r); /* r may be NULL */

enum reader_result {
	READER_MORE,    /* there may be more: call again */
	READER_END,     /* that was all, for now */
	READER_TROUBLE, /* the log cannot be read: reader_why().  Discard what
	                   this step has handed over: it will come again */
};

/* Read at most one page. */
enum reader_result reader_step(struct reader *r);

/* All events up to this id have been read or passed over. */
int64_t reader_cursor(const struct reader *r);

/* One line about the last READER_TROUBLE. */
const char *reader_why(const struct reader *r);

#endif
