/*
 * rowcast export: events as NDJSON.
 */
#include "lib/log/admin.h"
#include "command.h"
#include "output.h"
#include "reader.h"
#include "record.h"
#include "value.h"

#define BATCH_BYTES 262144 /* after so many, what there is goes out */

static const char help[] =
    "Usage: rowcast export [OPTION]...\n"
    "Write the events that are in a log to standard output, one JSON object on\n"
    "each line: id, topic, event, data (a string), retry, key, created_ms.\n"
    "What an event does not have, or has by default, is left out.\n"
    "\n"
    "  -t, --topic T     only this topic; 'user/*' takes all that begin so;\n"
    "                    repeat it for several\n"
    "  -e, --event NAME  only events of this name; repeat it for several\n"
    "      --since FROM  begin after this id, with earliest (the default), with\n"
    "                    the last:N events, or at a time such as\n"
    "                    2026-01-31T12:00:00Z\n"
    "      --upto ID     end with this id\n"
    "      --db FILE, --busy-ms N, --help, --version\n";

enum { OPTION_SINCE = ARGS_OWN, OPTION_UPTO };

static const char shorts[] = "t:e:";

static const struct option longs[] = {
	ARGS_COMMON,
	{ "topic", required_argument, NULL, 't' },
	{ "event", required_argument, NULL, 'e' },
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "upto", required_argument, NULL, OPTION_UPTO },
	{ NULL, 0, NULL, 0 },
};

struct export
{
	struct args *args;
	struct selection selection;
	struct buffer out;
	int64_t upto;
	bool is_other; /* the log was replaced meanwhile */
};

static int
take_upto(struct export *x, const char *value)
{
	if (value_number(value, 0, INT64_MAX, &x->upto) == 0)
		return 0;
	x->args->status =
	    args_refuse(x->args, "--upto '%.40s' is no id", value);
	return -1;
}

static int
take_option(struct export *x, int id)
{
	switch (id) {
	case 't':
		return selection_topic(&x->selection, x->args, optarg);
	case 'e':
		return selection_event(&x->selection, x->args, optarg);
	case OPTION_SINCE:
		return selection_since(&x->selection, x->args, optarg);
	default:
		return take_upto(x, optarg);
	}
}

static int
read_options(struct export *x)
{
	int id;

	while ((id = args_next(x->args, shorts, longs)) != ARGS_END)
		if (id == ARGS_STOP || take_option(x, id) != 0)
			return -1;
	return args_none(x->args);
}

static bool
on_event(void *cookie, const struct event *e, int64_t created_ms)
{
	struct export *x = cookie;

	if (x->out.len >= BATCH_BYTES)
		return false;
	record_add(&x->out, RECORD_JSON, e, created_ms);
	return true;
}

/* Two logs in one export would be none. */
static void
on_reset(void *cookie, int64_t after, int64_t head)
{
	struct export *x = cookie;

	(void)after;
	(void)head;
	x->is_other = true;
}

static enum status
write_all(struct export *x, struct reader *reader)
{
	enum reader_result result = READER_MORE;

	while (result == READER_MORE) {
		result = reader_step(reader);
		if (result == READER_TROUBLE)
			return args_fail_log(x->args, reader_why(reader));
		if (x->is_other)
			return args_fail(x->args,
			    "%.400s: was replaced or restored, or ends before"
			    " --since: export it again from an earlier id",
			    x->args->db);
		if (output_write(&x->out) != 0)
			return STATUS_FAILED;
	}
	return STATUS_OK;
}

static enum status
run_on(struct export *x, struct log *log)
{
	const struct reader_handler handler = {
		.event = on_event,
		.reset = on_reset,
		.cookie = x,
	};
	struct reader *reader;
	enum status status;
	int64_t head;

	if (log_head(log, &head) != LOG_OK) {
		status = args_fail_log(x->args, log_why(log));
		log_close(log);
		return status;
	}
	if (x->upto > head)
		x->upto = head;
	reader = reader_new(log, x->args, &x->selection, x->upto, &handler);
	if (reader == NULL) {
		log_close(log);
		return args_fail(x->args, "out of memory");
	}
	status = write_all(x, reader);
	reader_free(reader);
	return status;
}

static enum status
run(struct args *a)
{
	struct export x = { .args = a, .upto = INT64_MAX };
	struct log *log;
	enum status status;

	x.selection.start = START_EARLIEST;
	if (read_options(&x) != 0 || selection_end(&x.selection, a) != 0)
		return a->status;
	status = args_open(a, false, &log);
	if (status == STATUS_OK)
		status = run_on(&x, log);
	selection_free(&x.selection);
	buffer_free(&x.out);
	return status;
}

const struct command export_command = {
	.name = "export",
	.summary = "write events as lines of JSON",
	.help = help,
	.run = run,
};
