/*
 * rowcast prune: remove events.
 *
 * Events are removed in batches, each followed by a pause for other writers.
 */
#include <inttypes.h>
#include <time.h>

#include "lib/log/admin.h"
#include "args.h"
#include "output.h"
#include "selection.h"

#define PAUSE_MIN_US 500
#define EMPTY_MAX 100000 /* batches of the rules that remove nothing */

struct prune {
	struct args *args;
	struct selection selection; /* one topic at most */
	bool uses_rules;
	int64_t keep_rows; /* -1: not asked for */
	int64_t age_ms;    /* 0: likewise */
	int64_t removed;
};

static const struct option table[] = {
	{ "keep-rows", NULL, NULL, "N", NULL,
	    "keep the newest N events, remove all before them",
	    OPTION_NUMBER(struct prune, keep_rows, 0, INT64_MAX, 1) },
	{ "older-than", NULL, NULL, "SPAN", NULL,
	    "remove older events: 90s, 30m, 12h, 7d, 2w",
	    OPTION_PLAIN(SPAN, struct prune, age_ms) },
	SELECTION_TOPIC(struct prune, selection,
	    "remove only events of this topic; 'user/*' takes all topics that"
	    " begin with user/, and counts them together"),
	{ "rules", NULL, NULL, NULL, NULL, "also apply the log's own rules",
	    OPTION_PLAIN(FLAG, struct prune, uses_rules) },
	OPTION_END,
};

static int
read_options(struct prune *p)
{
	struct args *a = p->args;
	bool has_limit;

	if (args_read(a, p, 0) != 0)
		return -1;
	has_limit = p->keep_rows >= 0 || p->age_ms > 0;
	p->uses_rules = p->uses_rules || !has_limit;
	if (p->selection.n_topics > 1)
		a->status = args_refuse(a,
		    "--topic: only one is possible; a prefix takes several");
	else if (p->selection.n_topics > 0 && !has_limit)
		a->status = args_refuse(a,
		    "--topic: nothing to remove; give --keep-rows or"
		    " --older-than");
	else
		return 0;
	return -1;
}

/* ---- removing ---- */

static int64_t
now_us(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now); /* cannot fail */
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Pause for as long as the lock was held, so that other writers get it. */
static void
pause_after(int64_t began_us)
{
	int64_t us = now_us(CLOCK_MONOTONIC) - began_us;
	struct timespec pause;

	if (us < PAUSE_MIN_US)
		us = PAUSE_MIN_US;
	pause.tv_sec = us / 1000000;
	pause.tv_nsec = (long)(us % 1000000 * 1000);
	(void)nanosleep(&pause, NULL); /* a signal may cut it short */
}

static enum log_result
remove_surplus(struct prune *p, struct log *log)
{
	const struct pattern all = { .is_prefix = true };
	const struct pattern *topic =
	    p->selection.n_topics > 0 ? &p->selection.topics[0] : &all;
	struct log_surplus surplus = {
		.topic = topic->text,
		.is_prefix = topic->is_prefix,
		.keep_rows = p->keep_rows,
	};
	enum log_result result;
	bool is_over = p->keep_rows < 0 && p->age_ms == 0;

	if (p->age_ms > 0)
		surplus.before_ms = now_us(CLOCK_REALTIME) / 1000 - p->age_ms;
	while (!is_over) {
		int64_t began_us = now_us(CLOCK_MONOTONIC), n;

		result = log_remove(log, &surplus, &n, &is_over);
		if (result != LOG_OK)
			return result;
		p->removed += n;
		if (!is_over)
			pause_after(began_us);
	}
	return LOG_OK;
}

static enum log_result
remove_by_rules(struct prune *p, struct log *log)
{
	enum log_result result;
	int64_t overdue = 1;
	int n_empty = 0;

	while (overdue > 0 && n_empty < EMPTY_MAX) {
		int64_t began_us = now_us(CLOCK_MONOTONIC), n;

		result = log_remove_by_rules(log, &n, &overdue);
		if (result != LOG_OK)
			return result;
		p->removed += n;
		n_empty = n > 0 ? 0 : n_empty + 1;
		if (overdue > 0)
			pause_after(began_us);
	}
	return LOG_OK;
}

static enum status
find_rules(const struct prune *p, struct log *log)
{
	int64_t rules;

	if (!p->uses_rules)
		return STATUS_OK;
	if (log_rules(log, &rules) != LOG_OK)
		return args_fail_log(p->args, log_why(log));
	if (rules > 0)
		return STATUS_OK;
	return args_fail(p->args,
	    "%.400s: has no rules in its table retention: give --keep-rows or"
	    " --older-than",
	    p->args->db);
}

static enum status
run_on(struct prune *p, struct log *log)
{
	enum status status = find_rules(p, log);
	struct buffer out = { 0 };
	enum log_result result;

	if (status != STATUS_OK)
		return status;
	result = remove_surplus(p, log);
	if (result == LOG_OK && p->uses_rules)
		result = remove_by_rules(p, log);
	buffer_print(&out,
	    p->args->is_json ? "{\"removed\":%" PRId64 "}" :
			       "%" PRId64 " removed",
	    p->removed);
	if (output_line(&out) != 0)
		status = STATUS_FAILED;
	if (result == LOG_OK)
		return status;
	return args_fail_log(p->args, log_why(log));
}

static enum status
run(struct args *a)
{
	struct prune p = { .args = a, .keep_rows = -1 };
	struct log *log;
	enum status status;

	if (read_options(&p) != 0)
		return a->status;
	status = args_open(a, true, &log);
	if (status == STATUS_OK)
		status = run_on(&p, log);
	log_close(log);
	return status;
}

const struct command prune_command = {
	.name = "prune",
	.usage = "Usage: rowcast prune [OPTION]...\n"
		 "Remove events.  Without options, remove those that exceed\n"
		 "the rules in the log's table retention.  Clients that miss\n"
		 "removed events are sent a gap.\n\n",
	.notes = "\nWith --json, prints {\"removed\":N}.\n",
	.options = table,
	.run = run,
};
