#ifndef ROWCAST_FUZZ_READER_H
#define ROWCAST_FUZZ_READER_H

#include "tests/oracle/event_source.h"
#include "wish.h"

#include "lib/start.h"

/*
 * A browser behind a web server, with a model of the log: it must receive each
 * event of its filter once and in order, or a notice that some were removed.
 */

/* A row, and when it was removed: in operations since the begin, or 0. */
struct past {
	int64_t id;
	struct event event;
	size_t removed_at;
};

/* All rows there ever were.  Once, another log may take the place of the first:
   epoch 1. */
#define HISTORY_MAX 300
struct history {
	struct past rows[2][HISTORY_MAX];
	size_t n[2];
	int64_t head[2];
	int epoch;
	size_t now; /* operations since the begin */
};

/* Returns the data of a row, which depends on its id alone. */
struct text history_data(int epoch, int64_t id, size_t size);

struct reader {
	const struct history *history;
	struct event_source *browser;
	struct wish wish;
	enum start start;
	size_t asked_at;
	char head[1024]; /* the headers of the response */
	size_t head_len;
	bool has_head;
	bool is_stream; /* what it asked for is one, and it was not refused */
	bool has_hello; /* a greeting is to come */
	bool has_cursor;
	int64_t cursor;
	int64_t gap_next;
	int epoch;
	int64_t retry_ms; /* of the server */
};

/* Call when it sends a request, for a stream or something else. */
void reader_begin(struct reader *r, const struct history *h, bool is_stream);
void reader_end(struct reader *r);

/* Takes some of the response. */
void reader_take(struct reader *r, const char *bytes, size_t len);

/* Call when all was sent: requires a notice for each event that is missing. */
void reader_check_all(const struct reader *r);

#endif
