/*
 * The source of all streams: the log, the tail, and pages.
 *
 * New events are read once, into the tail.  Older ones are read in pages, which
 * are kept for a while because clients that reconnect together read the same.
 * A filter of whole topics reads pages of its own by index; all other filters
 * share pages that hold everything.
 *
 * States; a step in one of the last three checks the fingerprint first:
 *   CURRENT    all rows have been read        -> CHANGED by a commit
 *   BEHIND     there may be more rows         -> CURRENT at the end of the log
 *   CHANGED    the log has been written to    -> BEHIND if it is the same log,
 *                                             or after a reset
 *   TROUBLED   a call to the log failed       -> CURRENT, BEHIND by a step that
 *                                             succeeds
 *   DISPLACED  another file has the place of the open one, but cannot be opened
 *              yet; the open one is still read  -> CHANGED once the other is
 *                                             open, or the open one is back
 * Any state becomes DISPLACED, and any but DISPLACED becomes TROUBLED.
 * While the schema is unfit, nothing is served, from memory or from the log.
 */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/throttle.h"
#include "lib/log/fingerprint.h"
#include "lib/warn.h"
#include "page.h"
#include "pages.h"

#define FILE_MS 50     /* between checks whether the file was replaced */
#define REOPEN_MS 500  /* between attempts to open the new file */
#define REREAD_MS 1000 /* between attempts to allocate an event */
#define FORGET_MS 500  /* removed rows are served for no longer */

#define NO_MEMORY "out of memory for a new event"

enum source_state {
	CURRENT,
	BEHIND,
	CHANGED,
	TROUBLED,
	DISPLACED,
};

struct source {
	const struct responder_config *config;
	struct log *log;
	struct tail *tail;
	struct pages *pages;
	enum source_state state;
	bool is_unfit;           /* the schema was changed: serve nothing */
	int64_t schema;          /* its version; it differs after a change */
	struct fingerprint seen; /* of the log that the streams read from */
	bool must_forget;        /* memory may hold rows that were removed */
	int64_t removals;        /* rows ever removed, when that was checked */
	int64_t forgot_ms;       /* when that was */
	int64_t holes;           /* rows up to this id were removed unseen */
	uint64_t rows;           /* read from the log */
	uint64_t reads;          /* of the log, for one stream */
	uint64_t version;        /* for source_version() ... */
	int64_t data_version;    /* ... at this one of SQLite */
	int64_t file_ms;         /* when the file was checked */
	int64_t reopen_ms;       /* not before */
	int64_t reread_ms;       /* not before */
	struct throttle throttle;
	struct news news;
};

/* ---- opening ---- */

struct source *
source_new(const struct responder_config *config, char why[SOURCE_WHY_MAX])
{
	const struct log_options o = { config->db, .create = true,
		.bounded = true, .parts = true };
	struct source *src = calloc(1, sizeof(*src));
	char reason[LOG_WHY_MAX] = "out of memory";
	int64_t head;

	if (src != NULL && log_open(&o, &src->log, reason) == LOG_OK) {
		fingerprint_take(&src->seen, src->log);
		src->schema = log_schema_version(src->log);
		if (log_head(src->log, &head) != LOG_OK ||
		    fingerprint_note(&src->seen, src->log, head) != LOG_OK)
			(void)snprintf(reason, sizeof(reason), "%s",
			    log_why(src->log));
		else
			src->tail = tail_new(config->tail_bytes, head);
		src->pages = pages_new(config->replay_bytes);
	}
	if (src == NULL || src->tail == NULL || src->pages == NULL) {
		(void)snprintf(why, SOURCE_WHY_MAX, "log: %.200s: %s",
		    config->db, reason);
		source_free(src);
		return NULL;
	}
	src->config = config;
	src->data_version = -1;
	return src;
}

void
source_free(struct source *src)
{
	if (src == NULL)
		return;
	pages_free(src->pages);
	tail_free(src->tail);
	log_close(src->log);
	free(src);
}

int64_t
source_head(const struct source *src)
{
	return tail_head(src->tail);
}

uint64_t
source_rows(const struct source *src)
{
	return src->rows;
}

uint64_t
source_reads(const struct source *src)
{
	return src->reads;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- states ---- */

/* Only a look at the file ends DISPLACED, and it ends in CHANGED. */
static void
enter(struct source *src, enum source_state state)
{
	if (src->state != DISPLACED || state == CHANGED)
		src->state = state;
}

/* Report the first of a series of failures. */
static enum source_result
trouble_with(struct source *src, const char *why, const char *meanwhile)
{
	if (throttle_raise(&src->throttle, now_ms()))
		warn_line("log: %s: %s; %s", src->config->db, why, meanwhile);
	enter(src, TROUBLED);
	return SOURCE_TROUBLE;
}

static enum source_result
trouble(struct source *src)
{
	return trouble_with(src, log_why(src->log), "trying again");
}

/* The log is another one, or an older copy: begin anew at its end. */
static enum source_result
reset(struct source *src, int64_t head)
{
	fingerprint_take(&src->seen, src->log);
	(void)fingerprint_note(&src->seen, src->log, head); /* or none */
	warn_line("log: %s: was replaced or restored and now ends at id %lld",
	    src->config->db, (long long)head);
	pages_forget(src->pages, INT64_MAX);
	tail_clear(src->tail, head);
	src->holes = 0;
	if (src->state != TROUBLED)
		enter(src, BEHIND);
	return SOURCE_RESET;
}

/* ---- another log ---- */

/* Another file has taken the place of the one that is open. */
static enum source_result
reopen(struct source *src)
{
	const struct log_options o = { src->config->db, .bounded = true,
		.parts = true };
	char why[LOG_WHY_MAX];
	struct log *log;
	bool is_same;
	int64_t head;

	enter(src, DISPLACED);
	/* Opening a file that is no log causes a file event: without a pause,
	   one attempt would cause the next. */
	if (now_ms() < src->reopen_ms)
		return SOURCE_TROUBLE;
	src->reopen_ms = now_ms() + REOPEN_MS;
	if (log_check_wal(src->log, why) != 0 ||
	    log_open(&o, &log, why) != LOG_OK)
		return trouble_with(src, why,
		    "serving the old file until a log is there");
	if (log_head(log, &head) != LOG_OK ||
	    fingerprint_check(&src->seen, log, &is_same) != LOG_OK) {
		(void)trouble_with(src, log_why(log), "trying again");
		log_close(log);
		return SOURCE_TROUBLE;
	}
	log_close(src->log);
	src->log = log;
	src->is_unfit = false;
	src->schema = log_schema_version(log);
	src->removals = -1;
	src->data_version = -1;
	enter(src, CHANGED);
	if (!is_same || head < tail_head(src->tail))
		return reset(src, head);
	return SOURCE_OK;
}

void
source_recheck(struct source *src)
{
	src->file_ms = 0;
}

static enum source_result
check_file(struct source *src)
{
	if (now_ms() - src->file_ms < FILE_MS)
		return SOURCE_OK;
	src->file_ms = now_ms();
	if (log_is_replaced(src->log))
		return reopen(src);
	if (src->state == DISPLACED) /* it has been put back */
		enter(src, CHANGED);
	return SOURCE_OK;
}

/* Another log, or an older copy, may have been restored into the open file. */
static enum source_result
check_fingerprint(struct source *src)
{
	bool is_same;
	int64_t head;

	if (fingerprint_check(&src->seen, src->log, &is_same) != LOG_OK ||
	    (!is_same && log_head(src->log, &head) != LOG_OK))
		return trouble(src);
	if (!is_same)
		return reset(src, head);
	if (src->state == CHANGED)
		enter(src, BEHIND);
	return SOURCE_OK;
}

/*
 * Rows that were removed from the log must not be served from memory.
 * Retention removes rows all the time, so memory is searched only now and then.
 */
static enum source_result
forget_removed(struct source *src)
{
	int64_t removals, highest;

	if (!src->must_forget || now_ms() - src->forgot_ms < FORGET_MS)
		return SOURCE_OK;
	if (log_removals(src->log, &removals, &highest) != LOG_OK)
		return trouble(src);
	src->must_forget = false;
	if (removals == src->removals)
		return SOURCE_OK;
	src->removals = removals;
	src->forgot_ms = now_ms();
	tail_forget(src->tail, highest);
	pages_forget(src->pages, highest);
	return SOURCE_OK;
}

/*
 * A tool may have rebuilt the table of events with other rows.  DROP TABLE
 * removes rows without firing a trigger, so no removal is counted.
 */
static void
forget_rebuilt(struct source *src)
{
	if (log_schema_version(src->log) == src->schema)
		return;
	src->schema = log_schema_version(src->log);
	tail_clear(src->tail, tail_head(src->tail));
	pages_forget(src->pages, INT64_MAX);
}

/* ---- new events ---- */

static enum source_result
read_new(struct source *src)
{
	struct news *n = &src->news;
	int64_t before = tail_head(src->tail), head;
	enum news_result result;

	if (now_ms() < src->reread_ms) /* also in another file */
		return trouble_with(src, NO_MEMORY, "trying again");
	result = news_read(n, src->log, src->tail, &head, &src->rows);
	switch (result) {
	case NEWS_MORE:
	case NEWS_END:
		break;
	case NEWS_BACK:
		return reset(src, head);
	case NEWS_NO_MEMORY:
		/* it may be a large one, which takes long to read */
		src->reread_ms = now_ms() + REREAD_MS;
		return trouble_with(src, NO_MEMORY, "trying again");
	case NEWS_TROUBLE:
		return trouble(src);
	}
	/* what identifies a huge row lies behind its data */
	if (n->last > before && n->n_huge == 0)
		(void)fingerprint_note(&src->seen, src->log,
		    n->last); /* or none */
	if (n->holes > src->holes)
		src->holes = n->holes;
	/* a file that has been displaced is not the one to be read */
	if (src->state != DISPLACED && throttle_clear(&src->throttle))
		warn_line("log: %s: can be read again", src->config->db);
	enter(src, result == NEWS_END ? CURRENT : BEHIND);
	return result == NEWS_END ? SOURCE_END : SOURCE_OK;
}

/* One step, in a read transaction. */
static enum source_result
step(struct source *src)
{
	enum log_result looked;
	enum source_result result;
	bool changed;

	looked = log_changed(src->log, &changed);
	/* after another error it is as unfit as before */
	if (looked == LOG_OK || looked == LOG_NOT_A_LOG)
		src->is_unfit = looked != LOG_OK;
	if (looked != LOG_OK)
		return trouble(src);
	forget_rebuilt(src);
	if (changed) {
		src->must_forget = true;
		if (src->state == CURRENT || src->state == BEHIND)
			enter(src, CHANGED);
	}
	if (src->state != CURRENT && src->state != BEHIND &&
	    (result = check_fingerprint(src)) != SOURCE_OK)
		return result;
	if ((result = forget_removed(src)) != SOURCE_OK)
		return result;
	return src->state == CURRENT ? SOURCE_END : read_new(src);
}

enum source_result
source_step(struct source *src, const struct news **news)
{
	enum source_result result;

	news_clear(&src->news);
	*news = &src->news;
	if ((result = check_file(src)) != SOURCE_OK)
		return result;
	if (log_begin(src->log) != LOG_OK)
		return trouble(src);
	result = step(src);
	log_end(src->log);
	return result;
}

/* ---- reading for one stream ---- */

/* A tool may have begun to rebuild the table after the last step, and may have
   left it empty.  Call log_end() after SOURCE_OK. */
static enum source_result
begin_read(struct source *src)
{
	enum log_result result = log_begin_judged(src->log);

	src->reads++;
	if (result == LOG_NOT_A_LOG)
		src->is_unfit = true; /* until a step finds it mended */
	return result == LOG_OK ? SOURCE_OK : trouble(src);
}

enum source_result
source_chunk(struct source *src, const struct filter *f, int64_t cursor,
    size_t part, const struct chunk **chunk, bool *is_old)
{
	struct text key = { NULL, 0 };
	enum log_result result;
	struct chunk *c;

	if (cursor >= tail_head(src->tail))
		return SOURCE_END;
	if (src->is_unfit)
		return SOURCE_TROUBLE;
	*is_old = cursor < src->holes;
	*chunk = tail_find(src->tail, cursor);
	if (*chunk != NULL)
		return SOURCE_OK;
	*is_old = true;
	if (filter_is_exact(f))
		key = filter_key(f);
	*chunk = pages_find(src->pages, key, cursor, part);
	if (*chunk != NULL)
		return SOURCE_OK;
	if (begin_read(src) != SOURCE_OK)
		return SOURCE_TROUBLE;
	/* it begins at the cursor and ends where memory begins */
	result = page_read(src->log, f, cursor, part, tail_start(src->tail), &c,
	    &src->rows);
	log_end(src->log);
	if (result == LOG_OK &&
	    (*chunk = pages_keep(src->pages, key, c)) == NULL)
		result = LOG_NO_MEMORY;
	if (result == LOG_OK)
		return SOURCE_OK;
	return trouble_with(src,
	    result == LOG_NO_MEMORY ? "out of memory for an older event" :
				      log_why(src->log),
	    "trying again");
}

enum source_result
source_version(struct source *src, uint64_t *version)
{
	int64_t now;

	if (src->is_unfit)
		return SOURCE_TROUBLE;
	if (log_version(src->log, &now) != LOG_OK)
		return trouble(src);
	if (now != src->data_version)
		src->version++;
	src->data_version = now;
	*version = src->version;
	return SOURCE_OK;
}

enum source_result
source_gap(struct source *src, const struct filter *f, int64_t cursor,
    struct gap_known *known, int64_t *next)
{
	enum log_result result;

	if (src->is_unfit || begin_read(src) != SOURCE_OK)
		return SOURCE_TROUBLE;
	result = gap_find(src->log, f, cursor, known, next);
	log_end(src->log);
	if (result != LOG_OK)
		return trouble(src);
	return *next > 0 ? SOURCE_OK : SOURCE_END;
}

enum source_result
source_find(struct source *src, const struct filter *f, struct seek *seek)
{
	int64_t head = tail_head(src->tail);
	bool is_known = seek->start == START_NOW ||
	    (seek->start == START_AFTER && seek->value <= head);
	enum seek_result result;

	if (src->is_unfit || (!is_known && begin_read(src) != SOURCE_OK))
		return SOURCE_TROUBLE;
	result = seek_step(src->log, head, f, seek);
	if (!is_known)
		log_end(src->log);
	switch (result) {
	case SEEK_FOUND:
		return SOURCE_OK;
	case SEEK_AGAIN: /* an id that is not read yet must wait for that */
		return src->state >= TROUBLED && seek->start == START_AFTER ?
		    SOURCE_TROUBLE :
		    SOURCE_END;
	case SEEK_BEYOND:
		return SOURCE_RESET;
	case SEEK_TROUBLE:
		break;
	}
	return trouble(src);
}
