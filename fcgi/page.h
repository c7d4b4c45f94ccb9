#ifndef ROWCAST_PAGE_H
#define ROWCAST_PAGE_H

#include "lib/filter.h"
#include "lib/log/log.h"
#include "chunk.h"

/*
 * Read an older part of the log into one chunk: at most PAGE_ROWS rows, or one
 * row that is larger than an ordinary chunk, or a part of a huge one.  For a
 * filter of whole topics, only rows of these topics are read, else all.
 *   units    ids: rows with cursor < id <= upto; part in bytes: where to begin
 *            in the data of the first row, if that is huge
 *   returns  LOG_OK: *page holds all such rows from the cursor up to
 *            (*page)->upto, if there are any; LOG_NO_MEMORY; another result if
 *            the log cannot be read, see log_why().  In any case *rows grows by
 *            the number of rows read
 *   owns     the caller frees *page with chunk_free()
 */
#define PAGE_ROWS 256 /* about 0.1 ms, for which others wait */
enum log_result page_read(struct log *log, const struct filter *f,
    int64_t cursor, size_t part, int64_t upto, struct chunk **page,
    uint64_t *rows);

#endif
