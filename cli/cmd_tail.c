/*
 * rowcast tail: print the events of a log as they are committed.
 */
#include "args.h"
#include "follow.h"
#include "output.h"
#include "reader.h"
#include "record.h"

#define BATCH_BYTES 262144 /* write out after this many */
#define SILENT_MS 15000    /* between keepalives, the responder's default */

struct tail {
	struct args *args;
	struct selection selection;
	struct reader *reader;
	struct buffer out;
	enum record_form form;
	int64_t left;    /* events still to be printed */
	int64_t last_id; /* that was written */
	bool is_once;    /* --no-follow */
	bool is_sse;
	bool is_troubled;
	enum status status;
};

/* ---- options ---- */

static const struct option table[] = {
	SELECTION_OPTIONS(struct tail, selection, "from now"),
	{ "count", "n", NULL, "N", NULL, "stop after N events",
	    OPTION_NUMBER(struct tail, left, 1, INT64_MAX, 1) },
	{ "no-follow", NULL, NULL, NULL, NULL, "stop at the end of the log",
	    OPTION_PLAIN(FLAG, struct tail, is_once) },
	{ "sse", NULL, NULL, NULL, NULL,
	    "print text/event-stream, as a stream sends it",
	    OPTION_PLAIN(FLAG, struct tail, is_sse) },
	OPTION_END,
};

static int
read_options(struct tail *t)
{
	struct args *a = t->args;

	if (args_read(a, t, 0) != 0)
		return -1;
	if (a->is_json && t->is_sse) {
		a->status = args_refuse(a, "--json or --sse: not both");
		return -1;
	}
	if (a->is_json)
		t->form = RECORD_JSON;
	else if (t->is_sse)
		t->form = RECORD_SSE;
	return 0;
}

/* ---- calls from the reader ---- */

static void
on_start(void *cookie, int64_t cursor)
{
	struct tail *t = cookie;

	record_start(&t->out, t->form, cursor);
	t->last_id = cursor;
}

static bool
on_event(void *cookie, const struct event *e)
{
	struct tail *t = cookie;

	if (t->left == 0 || t->out.len >= BATCH_BYTES)
		return false;
	record_add(&t->out, t->form, e);
	t->last_id = e->id;
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
	t->last_id = head;
}

/* ---- following ---- */

/* Report the first of a series of failures.  With --no-follow, report each: it
   does not wait for the log. */
static void
report_trouble(struct tail *t)
{
	if (!t->is_troubled || t->is_once)
		t->status = args_fail_log(t->args, reader_why(t->reader));
	t->is_troubled = true;
}

/* Take one step, and write its output. */
static enum reader_result
turn(struct tail *t, bool *is_news)
{
	int64_t left = t->left;
	enum reader_result result = reader_step(t->reader);

	if (result == READER_TROUBLE) {
		t->left = left;
		buffer_clear(&t->out);
		report_trouble(t);
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

	record_silence(&t->out, t->form, cursor > t->last_id ? cursor : 0);
	t->last_id = cursor;
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

/* With --no-follow, read up to the end that the log has at this moment. */
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
	.usage = "Usage: rowcast tail [OPTION]...\n"
		 "Print the events of a log as they arrive, until SIGINT\n"
		 "(Ctrl-C).\n\n",
	.notes =
	    "\nPrints a line for each event: id, time, topic, event and\n"
	    "data, separated by tabs.  With --json, prints the objects\n"
	    "that export writes.  Missing events are reported (gap, reset)\n"
	    "in every format.\n",
	.options = table,
	.run = run,
};
