/*
 * rowcast tail: what a stream sends, on standard output.
 */
#include "command.h"
#include "follow.h"
#include "output.h"
#include "reader.h"
#include "record.h"
#include "value.h"

#define BATCH_BYTES 262144 /* after so many, what there is goes out */
#define SILENT_MS 15000    /* as the responder, unless told otherwise */

static const char help[] =
    "Usage: rowcast tail [OPTION]...\n"
    "Print the events of a log as they come, until it is interrupted.\n"
    "\n"
    "  -t, --topic T     only this topic; 'user/*' takes all that begin so;\n"
    "                    repeat it for several\n"
    "  -e, --event NAME  only events of this name; repeat it for several\n"
    "      --since FROM  begin after this id, with earliest, with the last:N\n"
    "                    events, or at a time such as 2026-01-31T12:00:00Z;\n"
    "                    default: from now\n"
    "  -n, --count N     stop after N events\n"
    "      --no-follow   stop at the end of the log\n"
    "      --json        one JSON object on each line, as export writes it\n"
    "      --sse         text/event-stream, as a stream sends it\n"
    "      --db FILE, --busy-ms N, --help, --version\n"
    "\n"
    "Without --json and --sse: id, time, topic, event and data, separated by\n"
    "tabs.  Events that are missing are told of (gap, reset) in each form.\n";

enum { OPTION_SINCE = ARGS_OWN, OPTION_NO_FOLLOW, OPTION_SSE };

static const char shorts[] = "t:e:n:";

static const struct option longs[] = {
	ARGS_COMMON,
	{ "topic", required_argument, NULL, 't' },
	{ "event", required_argument, NULL, 'e' },
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "count", required_argument, NULL, 'n' },
	{ "no-follow", no_argument, NULL, OPTION_NO_FOLLOW },
	{ "sse", no_argument, NULL, OPTION_SSE },
	{ NULL, 0, NULL, 0 },
};

struct tail {
	struct args *args;
	struct selection selection;
	struct reader *reader;
	struct buffer out;
	enum record_form form;
	int64_t left; /* events that are still wanted */
	int64_t told; /* the last id that went out */
	bool is_once; /* no following */
	bool is_troubled;
	enum status status;
};

/* ---- options ---- */

static int
take_count(struct tail *t, const char *value)
{
	if (value_number(value, 1, INT64_MAX, &t->left) == 0)
		return 0;
	t->args->status =
	    args_refuse(t->args, "--count '%.40s' is no number from 1", value);
	return -1;
}

static int
take_option(struct tail *t, int id)
{
	switch (id) {
	case 't':
		return selection_topic(&t->selection, t->args, optarg);
	case 'e':
		return selection_event(&t->selection, t->args, optarg);
	case 'n':
		return take_count(t, optarg);
	case OPTION_SINCE:
		return selection_since(&t->selection, t->args, optarg);
	case OPTION_NO_FOLLOW:
		t->is_once = true;
		return 0;
	default:
		t->form = RECORD_SSE;
		return 0;
	}
}

static int
read_options(struct tail *t)
{
	struct args *a = t->args;
	int id;

	while ((id = args_next(a, shorts, longs)) != ARGS_END)
		if (id == ARGS_STOP || take_option(t, id) != 0)
			return -1;
	if (a->is_json && t->form == RECORD_SSE) {
		a->status = args_refuse(a, "--json or --sse: not both");
		return -1;
	}
	if (a->is_json)
		t->form = RECORD_JSON;
	return args_none(a);
}

/* ---- what the reader tells ---- */

static void
on_start(void *cookie, int64_t cursor)
{
	struct tail *t = cookie;

	record_start(&t->out, t->form, cursor);
	t->told = cursor;
}

static bool
on_event(void *cookie, const struct event *e, int64_t created_ms)
{
	struct tail *t = cookie;

	if (t->left == 0 || t->out.len >= BATCH_BYTES)
		return false;
	record_add(&t->out, t->form, e, created_ms);
	t->told = e->id;
	t->left--;
	return true;
}

static void
on_gap(void *cookie, int64_t after, int64_t next)
{
	struct tail *t = cookie;

	record_gap(&t->out, t->form, after, next);
}

static void
on_reset(void *cookie, int64_t after, int64_t head)
{
	struct tail *t = cookie;

	record_reset(&t->out, t->form, after, head);
	t->told = head;
}

/* ---- following ---- */

/* Trouble that may pass is told once; who asked for what is there now does not
   wait for it. */
static void
tell_trouble(struct tail *t)
{
	if (!t->is_troubled || t->is_once)
		t->status = args_fail_log(t->args, reader_why(t->reader));
	t->is_troubled = true;
}

/* One step, written out. */
static enum reader_result
turn(struct tail *t, bool *is_news)
{
	int64_t left = t->left;
	enum reader_result result = reader_step(t->reader);

	if (result == READER_TROUBLE) {
		t->left = left;
		buffer_clear(&t->out);
		tell_trouble(t);
		return result;
	}
	t->is_troubled = false;
	t->status = STATUS_OK;
	*is_news = *is_news || t->out.len > 0 || result == READER_MORE;
	if (output_write(&t->out) != 0) {
		t->status = STATUS_FAILED;
		t->left = 0;
	}
	return result;
}

static bool
look(void *cookie, bool *is_over)
{
	struct tail *t = cookie;
	enum reader_result result = READER_MORE;
	bool is_news = false;

	while (result == READER_MORE && t->left > 0)
		result = turn(t, &is_news);
	*is_over = t->left == 0 || (t->is_once && result != READER_MORE);
	return is_news;
}

static void
on_silence(void *cookie)
{
	struct tail *t = cookie;
	int64_t cursor = reader_cursor(t->reader);

	record_silence(&t->out, t->form, cursor > t->told ? cursor : 0);
	t->told = cursor;
	if (output_write(&t->out) != 0) {
		t->status = STATUS_FAILED;
		t->left = 0; /* the next look ends it */
	}
}

static void
follow(struct tail *t)
{
	const struct follow f = {
		.path = t->args->db,
		.look = look,
		.silent = t->form == RECORD_SSE ? on_silence : NULL,
		.silent_ms = SILENT_MS,
		.cookie = t,
	};
	bool is_over;

	(void)look(t, &is_over);
	if (!is_over && follow_run(&f) != 0)
		t->status = STATUS_FAILED;
}

/* All that is there now: up to the end that the log has at this moment. */
static int
find_end(struct tail *t, struct log *log, int64_t *end)
{
	*end = INT64_MAX;
	if (!t->is_once || log_head(log, end) == LOG_OK)
		return 0;
	t->status = args_fail_log(t->args, log_why(log));
	return -1;
}

static enum status
run_on(struct tail *t, struct log *log)
{
	const struct reader_handler handler = {
		.start = on_start,
		.event = on_event,
		.gap = on_gap,
		.reset = on_reset,
		.cookie = t,
	};
	int64_t end;

	if (find_end(t, log, &end) != 0) {
		log_close(log);
		return t->status;
	}
	t->reader = reader_new(log, t->args, &t->selection, end, &handler);
	if (t->reader == NULL) {
		log_close(log);
		return args_fail(t->args, "out of memory");
	}
	follow(t);
	reader_free(t->reader);
	return t->status;
}

static enum status
run(struct args *a)
{
	struct tail t = { .args = a, .left = INT64_MAX };
	struct log *log;
	enum status status;

	if (read_options(&t) != 0 || selection_end(&t.selection, a) != 0)
		return a->status;
	status = args_open(a, false, &log);
	if (status == STATUS_OK)
		status = run_on(&t, log);
	selection_free(&t.selection);
	buffer_free(&t.out);
	return status;
}

const struct command tail_command = {
	.name = "tail",
	.summary = "print events as they come",
	.help = help,
	.run = run,
};
