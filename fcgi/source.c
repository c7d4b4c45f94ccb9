/*
 * Where streams read from.
 *
 * New events are read once, into the tail.  Older ones are read in pages that
 * stay for a while, since those who come back together read the same.  A filter
 * of whole topics reads pages of its own by index, all others share pages that
 * hold everything.
 */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/throttle.h"
#include "lib/fastcgi/records.h"
#include "lib/log/gap.h"
#include "lib/log/log.h"
#include "lib/sse.h"
#include "lib/warn.h"
#include "page.h"
#include "pages.h"
#include "tail.h"

#define PAGE_ROWS 1000 /* rows of one read */
#define FILE_MS 50     /* between looks whether another file is in its place */
#define REOPEN_MS 500  /* between tries to open another file in its place */
#define REREAD_MS 1000 /* between tries to have an event in memory */
#define FORGET_MS 500  /* removed rows may be served for so long */

struct source {
	const struct responder_config *config;
	struct log *log;
	struct tail *tail;
	struct pages *pages;
	struct log_mark last; /* the last row that was read */
	int64_t removals;     /* rows ever removed that have been forgotten */
	int64_t forgot_ms;    /* when */
	int64_t holes;        /* up to this id, rows were removed unseen */
	uint64_t rows;        /* read from the log */
	int64_t file_ms;      /* when the file was looked at */
	int64_t reopen_ms;    /* not before */
	int64_t reread_ms;    /* not before */
	bool may_hold_removed;
	bool may_be_other; /* its identity is to be looked at */
	bool is_other;     /* and is another one; the streams do not know yet */
	bool is_behind;    /* a step is owed although nothing has changed */
	bool is_displaced; /* another file is in its place, or none */
	bool is_troubled;
	struct throttle throttle; /* of that */
};

/* ---- opening ---- */

static enum log_result
open_log(const struct responder_config *config, bool create, struct log **log,
    char why[LOG_WHY_MAX])
{
	struct log_options o = { config->db, .create = create,
		.bounded = true };

	return log_open(&o, log, why);
}

struct source *
source_new(const struct responder_config *config, char why[SOURCE_WHY_MAX])
{
	struct source *src = calloc(1, sizeof(*src));
	char reason[LOG_WHY_MAX] = "out of memory";
	int64_t head;

	if (src != NULL &&
	    open_log(config, true, &src->log, reason) == LOG_OK) {
		if (log_head(src->log, &head) != LOG_OK ||
		    log_note(src->log, head, &src->last) != LOG_OK)
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

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Tell the operator once when trouble begins and once when it is over. */
static enum source_result
trouble_with(struct source *src, const char *why, const char *meanwhile)
{
	if (throttle_raise(&src->throttle, now_ms()))
		warn_line("log: %s: %s; %s", src->config->db, why, meanwhile);
	src->is_troubled = src->is_behind = true;
	return SOURCE_TROUBLE;
}

static enum source_result
trouble(struct source *src)
{
	return trouble_with(src, log_why(src->log), "trying again");
}

static void
no_trouble(struct source *src)
{
	if (src->is_displaced) /* what can be read is not what is meant */
		return;
	if (throttle_clear(&src->throttle))
		warn_line("log: %s: can be read again", src->config->db);
	src->is_troubled = false;
}

/* ---- new events ---- */

static enum source_result
reset(struct source *src, int64_t head)
{
	(void)log_note(src->log, head, &src->last); /* or none */
	warn_line("log: %s: was replaced or restored, ends at id %lld now",
	    src->config->db, (long long)head);
	pages_forget(src->pages, INT64_MAX);
	tail_clear(src->tail, head);
	src->holes = 0;
	src->is_behind = true;
	return SOURCE_RESET;
}

/* Another file has taken the place of the one that is open. */
static enum source_result
reopen(struct source *src)
{
	char why[LOG_WHY_MAX];
	struct log *log;
	bool is_same;
	int64_t head;

	src->is_troubled = src->is_displaced = true;
	/* looking at a file that is no log touches it, which is a file event:
	   without a pause that would go on for ever */
	if (now_ms() < src->reopen_ms)
		return SOURCE_TROUBLE;
	src->reopen_ms = now_ms() + REOPEN_MS;
	if (open_log(src->config, false, &log, why) != LOG_OK)
		return trouble_with(src, why,
		    "serving the old file until a log is there");
	if (log_head(log, &head) != LOG_OK ||
	    log_has(log, &src->last, &is_same) != LOG_OK) {
		(void)trouble_with(src, log_why(log), "trying again");
		log_close(log);
		return SOURCE_TROUBLE;
	}
	if (strcmp(log_identity(log), log_identity(src->log)) != 0)
		is_same = false;
	log_close(src->log);
	src->log = log;
	src->is_displaced = false;
	src->is_behind = true;
	src->removals = -1;
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
look_at_file(struct source *src)
{
	if (now_ms() - src->file_ms < FILE_MS)
		return SOURCE_OK;
	src->file_ms = now_ms();
	if (log_is_replaced(src->log))
		return reopen(src);
	if (src->is_displaced) /* it has been put back */
		src->is_behind = true;
	src->is_displaced = false;
	return SOURCE_OK;
}

/*
 * What was removed from the log is not to be served from memory.  Retention
 * removes rows all the time, so memory is searched once in a while only.
 */
static enum source_result
forget_removed(struct source *src)
{
	int64_t removals, highest;

	if (!src->may_hold_removed || now_ms() - src->forgot_ms < FORGET_MS)
		return SOURCE_OK;
	if (log_removals(src->log, &removals, &highest) != LOG_OK)
		return trouble(src);
	src->may_hold_removed = false;
	if (removals == src->removals)
		return SOURCE_OK;
	src->removals = removals;
	src->forgot_ms = now_ms();
	tail_forget(src->tail, highest);
	pages_forget(src->pages, highest);
	return SOURCE_OK;
}

/*
 * Another log may have been restored into the file that is open, or an older
 * copy, which may have grown beyond the end that was known.
 */
static enum source_result
look_at_identity(struct source *src)
{
	bool has_last = true, is_other = false;
	int64_t head;

	if (src->may_be_other &&
	    (log_has(src->log, &src->last, &has_last) != LOG_OK ||
		log_is_other(src->log, &is_other) != LOG_OK))
		return trouble(src);
	src->is_other |= is_other || !has_last;
	src->may_be_other = false;
	if (!src->is_other)
		return SOURCE_OK;
	if (log_head(src->log, &head) != LOG_OK)
		return trouble(src);
	src->is_other = false;
	return reset(src, head);
}

struct step {
	struct source *src;
	const struct source_news *news;
	size_t len;
	int64_t last;
	bool has_hole; /* ids are not consecutive */
	bool has_no_memory;
};

static bool
on_new_row(void *cookie, const struct event *e)
{
	struct step *step = cookie;
	size_t len = sse_len(e);
	const struct chunk *c;

	step->src->rows++;
	if (step->len > 0 && sse_add_len(step->len, len) > RECORDS_CONTENT_MAX)
		return false;
	c = tail_add(step->src->tail, e, len);
	if (c == NULL) {
		step->has_no_memory = true;
		return false;
	}
	step->len += len;
	if (e->id != step->last + 1)
		step->has_hole = true;
	step->last = e->id;
	step->news->event(step->news->cookie, c, c->n - 1);
	return true;
}

static bool
on_removed(void *cookie, const struct event *e)
{
	struct step *step = cookie;

	if (e->id > step->src->holes)
		step->src->holes = e->id;
	step->news->removed(step->news->cookie, e->topic);
	return true;
}

/*
 * There were no more rows: the log may have gone back, or its last rows may
 * have been removed before they were seen.
 *   last     the last id read, or the head before
 */
static enum source_result
look_at_head(struct source *src, struct step *step, int64_t last)
{
	int64_t head;

	if (log_head(src->log, &head) != LOG_OK)
		return trouble(src);
	if (head < last)
		return reset(src, head);
	if (head > last) {
		step->has_hole = true;
		tail_reach(src->tail, head);
	}
	return SOURCE_END;
}

static enum source_result
read_new(struct source *src, const struct source_news *news)
{
	int64_t before = tail_head(src->tail), reached;
	struct step step = { .src = src, .news = news, .last = before };
	struct log_range range = { before, INT64_MAX, PAGE_ROWS, NULL, 0 };
	enum source_result result = SOURCE_OK;

	if (now_ms() < src->reread_ms)
		return SOURCE_TROUBLE;
	if (log_read(src->log, &range, on_new_row, &step, &reached) != LOG_OK) {
		tail_cut(src->tail, before);
		return trouble(src);
	}
	if (step.has_no_memory) {
		tail_cut(src->tail, before);
		/* it may be a large one: to read it takes its time */
		src->reread_ms = now_ms() + REREAD_MS;
		return trouble_with(src, "out of memory for a new event",
		    "trying again");
	}
	if (reached == INT64_MAX)
		result = look_at_head(src, &step, step.last);
	if (result == SOURCE_RESET)
		return result;
	if (step.last > before)
		(void)log_note(src->log, step.last, &src->last);
	if (result != SOURCE_TROUBLE && step.has_hole &&
	    log_removed(src->log, before, on_removed, &step) != LOG_OK)
		result = trouble(src);
	if (result == SOURCE_TROUBLE) {
		tail_cut(src->tail, before);
		return result;
	}
	no_trouble(src);
	if (result == SOURCE_END)
		src->is_behind = false;
	return result;
}

static enum source_result
look(struct source *src, const struct source_news *news)
{
	enum source_result result;
	bool changed;

	if (log_changed(src->log, &changed) != LOG_OK)
		return trouble(src);
	if (changed)
		src->is_behind = src->may_hold_removed = src->may_be_other =
		    true;
	if ((result = look_at_identity(src)) != SOURCE_OK)
		return result;
	if (forget_removed(src) != SOURCE_OK)
		return SOURCE_TROUBLE;
	/* a step is owed until one has found the end */
	return src->is_behind ? read_new(src, news) : SOURCE_END;
}

enum source_result
source_step(struct source *src, const struct source_news *news)
{
	enum source_result result = look_at_file(src);

	if (result != SOURCE_OK)
		return result;
	if (log_begin(src->log) != LOG_OK)
		return trouble(src);
	result = look(src, news);
	log_end(src->log);
	return result;
}

/* ---- older events ---- */

enum source_result
source_chunk(struct source *src, const struct filter *f, int64_t cursor,
    const struct chunk **chunk, bool *is_old)
{
	struct text key = { NULL, 0 };
	enum log_result result;
	struct chunk *c;
	size_t rows;

	if (cursor >= tail_head(src->tail))
		return SOURCE_END;
	*is_old = cursor < src->holes;
	*chunk = tail_find(src->tail, cursor);
	if (*chunk != NULL)
		return SOURCE_OK;
	*is_old = true;
	if (filter_is_exact(f))
		key = filter_key(f);
	*chunk = pages_find(src->pages, key, cursor);
	if (*chunk != NULL)
		return SOURCE_OK;
	/* it begins at the cursor and ends where memory begins */
	result =
	    page_read(src->log, f, cursor, tail_start(src->tail), &c, &rows);
	src->rows += rows;
	if (result == LOG_OK)
		*chunk = pages_keep(src->pages, key, c);
	if (result == LOG_OK && *chunk != NULL)
		return SOURCE_OK;
	return trouble_with(src,
	    result == LOG_OK || result == LOG_NO_MEMORY ?
		"out of memory for an older event" :
		log_why(src->log),
	    "trying again");
}

enum source_result
source_version(struct source *src, int64_t *version)
{
	return log_version(src->log, version) == LOG_OK ? SOURCE_OK :
							  trouble(src);
}

enum source_result
source_gap(struct source *src, const struct filter *f, int64_t cursor,
    struct gap_known *known, int64_t *next)
{
	if (gap_find(src->log, f, cursor, known, next) != LOG_OK)
		return trouble(src);
	return *next > 0 ? SOURCE_OK : SOURCE_END;
}

enum source_result
source_find(struct source *src, const struct filter *f, struct seek *seek)
{
	switch (seek_step(src->log, tail_head(src->tail), f, seek)) {
	case SEEK_FOUND:
		return SOURCE_OK;
	case SEEK_AGAIN: /* an id that is not read yet must wait for that */
		return src->is_troubled && seek->start == START_AFTER ?
		    SOURCE_TROUBLE :
		    SOURCE_END;
	case SEEK_BEYOND:
		return SOURCE_RESET;
	case SEEK_TROUBLE:
		break;
	}
	return trouble(src);
}
