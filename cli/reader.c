/*
 * Events of a log that grows.
 *
 * The rules are those of a stream (fcgi/source.c, fcgi/stream.c), for one
 * client and without a tail.  Each step is one read transaction that checks the
 * fingerprint and the end of the log before it trusts the cursor.
 */
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/log/fingerprint.h"
#include "lib/log/gap.h"
#include "lib/log/seek.h"

/* How far it has come; a step that fails restores it. */
struct progress {
	struct seek seek;
	int64_t cursor;
	struct gap_known known; /* removals that need not be reported */
	struct fingerprint
	    seen;      /* of the log, with the last row before cursor */
	bool is_found; /* the place to start */
};

struct reader {
	struct log *log;
	const struct args *args;
	const struct filter *filter;
	const struct reader_handler *handler;
	struct progress at;
	int64_t asked; /* seek.value as given: seek counts down */
	int64_t upto;
	bool is_behind;  /* there may be more, although nothing has changed */
	bool must_check; /* the fingerprint, before the next rows */
	char why[LOG_WHY_MAX];
};

struct reader *
reader_new(struct log *log, const struct args *a, const struct selection *s,
    int64_t upto, const struct reader_handler *handler)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->log = log;
	r->args = a;
	r->filter = s->filter;
	r->handler = handler;
	r->at.seek.start = s->start;
	r->at.seek.value = r->asked = s->value;
	r->upto = upto;
	r->is_behind = true;
	fingerprint_take(&r->at.seen, log);
	return r;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	log_close(r->log);
	free(r);
}

int64_t
reader_cursor(const struct reader *r)
{
	return r->at.cursor;
}

const char *
reader_why(const struct reader *r)
{
	return r->why;
}

static enum reader_result
trouble(struct reader *r)
{
	(void)snprintf(r->why, sizeof(r->why), "%s", log_why(r->log));
	r->is_behind = true;
	return READER_TROUBLE;
}

static void
reset(struct reader *r, int64_t head)
{
	if (!r->at.is_found) {
		r->at.seek.value = r->asked;
		r->at.seek.upto = 0;
		return;
	}
	if (r->handler->reset != NULL)
		r->handler->reset(r->handler->cookie, r->at.cursor, head);
	r->at.cursor = head;
	r->at.known = (struct gap_known){ 0 };
}

/* Another file has taken the place of the one that is open.  The next look
   checks whether it is the same log. */
static enum reader_result
reopen(struct reader *r)
{
	const struct log_options options = {
		.path = r->args->db,
		.busy_ms = r->args->busy_ms,
	};
	struct log *log;

	if (log_check_wal(r->log, r->why) != 0 ||
	    log_open(&options, &log, r->why) != LOG_OK)
		return READER_TROUBLE;
	log_close(r->log);
	r->log = log;
	r->is_behind = r->must_check = true;
	return READER_END;
}

/* Look for the place to start. */
static enum reader_result
find(struct reader *r, int64_t head)
{
	struct seek *seek = &r->at.seek;
	enum seek_result result = seek_step(r->log, head, r->filter, seek);

	if (result == SEEK_TROUBLE)
		return trouble(r);
	if (result == SEEK_AGAIN)
		return READER_MORE;
	r->at.is_found = true;
	r->at.cursor = seek->cursor;
	r->at.known = seek->known;
	if (r->handler->start != NULL)
		r->handler->start(r->handler->cookie, r->at.cursor);
	if (result == SEEK_BEYOND && r->handler->reset != NULL)
		r->handler->reset(r->handler->cookie, seek->value,
		    r->at.cursor);
	return READER_END;
}

static enum reader_result
check_gap(struct reader *r)
{
	int64_t next;

	if (r->handler->gap == NULL)
		return READER_END;
	if (gap_find(r->log, r->filter, r->at.cursor, &r->at.known, &next) !=
	    LOG_OK)
		return trouble(r);
	if (next > 0)
		r->handler->gap(r->handler->cookie, r->at.cursor, next);
	return READER_END;
}

static bool
on_row(void *cookie, const struct event *e)
{
	struct reader *r = cookie;

	if (!filter_has_topic(r->filter, e->topic) ||
	    !filter_has_name(r->filter, e->name))
		return true;
	return r->handler->event(r->handler->cookie, e);
}

static enum reader_result
read_page(struct reader *r, int64_t head)
{
	struct log_range range = {
		.after = r->at.cursor,
		.upto = head < r->upto ? head : r->upto,
		.max_rows = LOG_PAGE_ROWS,
		.filter = r->filter,
		.is_full = true,
	};
	int64_t reached;

	if (r->at.cursor >= range.upto) {
		r->is_behind = false;
		return READER_END;
	}
	if (log_read(r->log, &range, on_row, r, &reached) != LOG_OK)
		return trouble(r);
	r->at.cursor = reached;
	r->is_behind = reached < range.upto;
	return r->is_behind ? READER_MORE : READER_END;
}

/* Check whether the log has changed, and whether it is still the same log. */
static enum reader_result
look(struct reader *r, int64_t *head)
{
	bool is_changed, is_same = true;

	if (log_changed(r->log, &is_changed) != LOG_OK)
		return trouble(r);
	if (is_changed)
		r->is_behind = r->must_check = true;
	if (!r->is_behind)
		return READER_END;
	if (log_head(r->log, head) != LOG_OK ||
	    (r->must_check &&
		fingerprint_check(&r->at.seen, r->log, &is_same) != LOG_OK))
		return trouble(r);
	if (!is_same || (r->at.is_found && *head < r->at.cursor)) {
		reset(r, *head);
		fingerprint_take(&r->at.seen, r->log);
	}
	return READER_MORE;
}

static enum reader_result
step(struct reader *r)
{
	enum reader_result result;
	int64_t head = 0;

	if ((result = look(r, &head)) != READER_MORE)
		return result;
	if (!r->at.is_found && (result = find(r, head)) != READER_END)
		return result;
	if ((result = check_gap(r)) != READER_END ||
	    (result = read_page(r, head)) == READER_TROUBLE)
		return result;
	if (fingerprint_note(&r->at.seen, r->log, r->at.cursor) != LOG_OK)
		return trouble(r);
	return result;
}

enum reader_result
reader_step(struct reader *r)
{
	const struct progress before = r->at;
	enum reader_result result;

	if (log_is_replaced(r->log) && reopen(r) == READER_TROUBLE)
		return READER_TROUBLE;
	if (log_begin(r->log) != LOG_OK)
		return trouble(r);
	result = step(r);
	log_end(r->log);
	if (result == READER_TROUBLE)
		r->at = before;
	else
		r->must_check = false;
	return result;
}
