/*
 * rowcast prune: remove what is due.
 *
 * A batch at a time, and after each a pause as long as it took: other writers
 * come in between.
 */
#include <stdlib.h>
#include <time.h>

#include "lib/filter.h"
#include "lib/log/admin.h"
#include "lib/utf8.h"
#include "command.h"
#include "json.h"
#include "output.h"
#include "value.h"

#define PAUSE_MIN_US 500
#define FRUITLESS_MAX 100000 /* batches of the rules that remove nothing */

static const char help[] =
    "Usage: rowcast prune [OPTION]...\n"
    "Remove events: what the log's own rules (its table retention) do not keep,\n"
    "or what the options say.  Clients that miss something are told (gap).\n"
    "\n"
    "      --keep-rows N      keep the newest N events, remove all before them\n"
    "      --older-than SPAN  remove what is older: 90s, 30m, 12h, 7d, 2w\n"
    "  -t, --topic T          only of this topic; 'user/*' takes all that begin\n"
    "                         so, and counts them together\n"
    "      --rules            the log's own rules as well as the options\n"
    "      --json             {\"removed\":N}\n"
    "      --db FILE, --busy-ms N, --help, --version\n";

enum { OPTION_KEEP = ARGS_OWN, OPTION_OLDER, OPTION_RULES };

static const char shorts[] = "t:";

static const struct option longs[] = {
	ARGS_COMMON,
	{ "keep-rows", required_argument, NULL, OPTION_KEEP },
	{ "older-than", required_argument, NULL, OPTION_OLDER },
	{ "topic", required_argument, NULL, 't' },
	{ "rules", no_argument, NULL, OPTION_RULES },
	{ NULL, 0, NULL, 0 },
};

struct prune {
	struct args *args;
	struct pattern topic;
	bool has_topic;
	bool wants_rules;
	int64_t keep_rows; /* -1: not asked for */
	int64_t age_ms;    /* 0: likewise */
	int64_t removed;
};

/* ---- options ---- */

static int
refuse(struct prune *p, const char *option, const char *value, const char *what)
{
	p->args->status =
	    args_refuse(p->args, "%s '%.80s': %s", option, value, what);
	return -1;
}

static int
take_topic(struct prune *p, const char *value)
{
	const struct text t = text_of(value);

	if (p->has_topic)
		return refuse(p, "--topic", value, "only one, or a prefix");
	if (!utf8_is_valid(t) || filter_read_pattern(t, &p->topic) != 0)
		return refuse(p, "--topic", value,
		    "at most 255 bytes of UTF-8, without line breaks");
	p->has_topic = true;
	return 0;
}

static int
take_option(struct prune *p, int id)
{
	switch (id) {
	case 't':
		return take_topic(p, optarg);
	case OPTION_KEEP:
		if (value_number(optarg, 0, INT64_MAX, &p->keep_rows) == 0)
			return 0;
		return refuse(p, "--keep-rows", optarg, "give a whole number");
	case OPTION_OLDER:
		if (value_span(optarg, &p->age_ms) == 0)
			return 0;
		return refuse(p, "--older-than", optarg,
		    "give a span such as 90s, 30m, 12h, 7d or 2w");
	default:
		p->wants_rules = true;
		return 0;
	}
}

static int
read_options(struct prune *p)
{
	struct args *a = p->args;
	bool has_limit;
	int id;

	while ((id = args_next(a, shorts, longs)) != ARGS_END)
		if (id == ARGS_STOP || take_option(p, id) != 0)
			return -1;
	has_limit = p->keep_rows >= 0 || p->age_ms > 0;
	if (p->has_topic && !has_limit) {
		a->status = args_refuse(a,
		    "--topic: of it what?  Give --keep-rows or --older-than");
		return -1;
	}
	p->wants_rules = p->wants_rules || !has_limit;
	return args_none(a);
}

/* ---- removing ---- */

static int64_t
now_us(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now); /* cannot fail */
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Who waits for the lock looks for it now and then only: be away for as long
   as it was held. */
static void
let_others(int64_t began_us)
{
	int64_t us = now_us(CLOCK_MONOTONIC) - began_us;
	struct timespec pause;

	if (us < PAUSE_MIN_US)
		us = PAUSE_MIN_US;
	pause.tv_sec = us / 1000000;
	pause.tv_nsec = us % 1000000 * 1000;
	(void)nanosleep(&pause, NULL); /* a signal may cut it short */
}

static enum log_result
remove_surplus(struct prune *p, struct log *log)
{
	struct log_surplus surplus = {
		.topic = p->topic.text,
		.is_prefix = p->topic.is_prefix,
		.keep_rows = p->keep_rows,
	};
	enum log_result result = LOG_OK;
	bool is_over = p->keep_rows < 0 && p->age_ms == 0;

	if (p->age_ms > 0)
		surplus.before_ms = now_us(CLOCK_REALTIME) / 1000 - p->age_ms;
	while (!is_over && result == LOG_OK) {
		int64_t began_us = now_us(CLOCK_MONOTONIC), n;

		result = log_remove(log, &surplus, &n, &is_over);
		p->removed += n;
		if (!is_over)
			let_others(began_us);
	}
	return result;
}

static enum log_result
remove_by_rules(struct prune *p, struct log *log)
{
	enum log_result result = LOG_OK;
	int64_t overdue = 1;
	int fruitless = 0;

	while (overdue > 0 && fruitless < FRUITLESS_MAX && result == LOG_OK) {
		int64_t began_us = now_us(CLOCK_MONOTONIC), n;

		result = log_remove_by_rules(log, &n, &overdue);
		p->removed += n;
		fruitless = n > 0 ? 0 : fruitless + 1;
		if (overdue > 0)
			let_others(began_us);
	}
	return result;
}

static enum status
print_removed(const struct prune *p)
{
	struct buffer out = { 0 };
	int written;

	if (p->args->is_json) {
		json_open(&out, NULL, '{');
		json_number(&out, "removed", p->removed);
		json_close(&out, '}');
	} else {
		buffer_add_number(&out, p->removed);
		buffer_add_string(&out, " removed");
	}
	buffer_add_string(&out, "\n");
	written = output_write(&out);
	buffer_free(&out);
	return written == 0 ? STATUS_OK : STATUS_FAILED;
}

static enum status
find_rules(const struct prune *p, struct log *log)
{
	int64_t rules;

	if (!p->wants_rules)
		return STATUS_OK;
	if (log_rules(log, &rules) != LOG_OK)
		return args_fail_log(p->args, log_why(log));
	if (rules > 0)
		return STATUS_OK;
	return args_fail(p->args,
	    "%.400s: has no rules%s: give --keep-rows or --older-than",
	    p->args->db,
	    rules == 0 ? " in its table retention" :
			 " yet, it is an older log");
}

static enum status
run_on(struct prune *p, struct log *log)
{
	enum status status = find_rules(p, log);
	enum log_result result;

	if (status != STATUS_OK)
		return status;
	result = remove_surplus(p, log);
	if (result == LOG_OK && p->wants_rules)
		result = remove_by_rules(p, log);
	status = print_removed(p);
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

	p.topic.is_prefix = true; /* all topics */
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
	.summary = "remove old events",
	.help = help,
	.run = run,
};
