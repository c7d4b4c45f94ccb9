#ifndef ROWCAST_PAGE_H
#define ROWCAST_PAGE_H

#include "lib/filter.h"
#include "lib/log/log.h"
#include "chunk.h"

/*
 * Read an older part of the log: as many rows as one read takes, or one that is
 * larger than a chunk.  For a filter of whole topics those of these topics,
 * else all.
 *   units    ids: rows with cursor < id <= upto
 *   returns  LOG_OK: *page stands for the ids behind the cursor up to
 *            (*page)->upto, with or without events; LOG_NO_MEMORY; else why
 *            the log cannot be read, and log_why() says more
 *            *rows: how many were read, in any case
 *   owns     the caller; chunk_free()
 */
enum log_result page_read(struct log *log, const struct filter *f,
    int64_t cursor, int64_t upto, struct chunk **page, size_t *rows);

#endif
