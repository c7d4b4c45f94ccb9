/*
 * rowcast export: events as NDJSON.
 */
#include "args.h"
#include "output.h"
#include "reader.h"
#include "record.h"

#define BATCH_BYTES 262144 /* written at once */

struct export
{
	struct args *args;
	struct selection selection;
	struct buffer out;
	int64_t upto;
	bool is_other; /* the log was replaced meanwhile */
};

static const struct option table[] = {
	SELECTION_OPTIONS(struct export, selection, "earliest"),
	{ "upto", NULL, NULL, "ID", NULL, "end with this id",
	    OPTION_NUMBER(struct export, upto, 0, INT64_MAX, 1) },
	OPTION_END,
};

static bool
on_event(void *cookie, const struct event *e)
{
	struct export *x = cookie;

	if (x->out.len >= BATCH_BYTES)
		return false;
	record_add(&x->out, RECORD_JSON, e);
	return true;
}

/* An export of parts of two logs would be worthless. */
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
	if (args_read(a, &x, 0) != 0 || selection_end(&x.selection, a) != 0)
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
	.usage =
	    "Usage: rowcast export [OPTION]...\n"
	    "Write the events of a log to standard output, one JSON object\n"
	    "per line, with id, topic, event, data (a string), retry, key\n"
	    "and created_ms.  Members that have the default value are left\n"
	    "out.\n\n",
	.notes = "",
	.options = table,
	.run = run,
};
