/*
 * rowcast export: events as NDJSON; with --salvage, of a damaged log.
 */
#include <inttypes.h>

#include "lib/log/admin.h"
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
	bool is_salvage;
	int64_t written; /* events */
	int64_t lost;    /* ranges of ids */
	bool has_failed; /* the output */
};

static const struct option table[] = {
	SELECTION_OPTIONS(struct export, selection, "earliest"),
	{ "upto", NULL, NULL, "ID", NULL, "end with this id",
	    OPTION_NUMBER(struct export, upto, 0, INT64_MAX, 1) },
	{ "salvage", NULL, NULL, NULL, NULL,
	    "step over what cannot be read of a damaged log",
	    OPTION_PLAIN(FLAG, struct export, is_salvage) },
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

/* ---- a damaged log ---- */

static bool
on_salvaged(void *cookie, const struct event *e)
{
	struct export *x = cookie;

	if (!filter_has_topic(x->selection.filter, e->topic) ||
	    !filter_has_name(x->selection.filter, e->name))
		return true;
	record_add(&x->out, RECORD_JSON, e);
	x->written++;
	if (x->out.len >= BATCH_BYTES)
		x->has_failed = output_write(&x->out) != 0;
	return !x->has_failed;
}

static void
on_lost(void *cookie, int64_t from, int64_t to)
{
	struct export *x = cookie;

	x->lost++;
	if (from == to)
		(void)args_fail(x->args, "event %" PRId64 " cannot be read",
		    from);
	else if (to == EVENT_ID_MAX)
		(void)args_fail(x->args,
		    "events from id %" PRId64 " on cannot be read", from);
	else
		(void)args_fail(x->args,
		    "events from id %" PRId64 " to %" PRId64 " cannot be read",
		    from, to);
}

static enum status
salvage(struct export *x)
{
	const struct log_options options = {
		.path = x->args->db,
		.busy_ms = x->args->busy_ms,
	};
	const struct log_salvager to = { on_salvaged, on_lost, x };
	int64_t after = 0;
	char why[LOG_WHY_MAX];
	enum status status;

	if (x->selection.start == START_AFTER)
		after = x->selection.value;
	else if (x->selection.start != START_EARLIEST)
		return args_refuse(x->args,
		    "--since: with --salvage, give an id");
	if ((status = args_need_file(x->args)) != STATUS_OK)
		return status;
	if (log_salvage(&options, after, x->upto, &to, why) != LOG_OK)
		status = args_fail_log(x->args, why);
	if (x->has_failed || output_write(&x->out) != 0)
		return STATUS_FAILED;
	if (x->lost == 0)
		return status;
	return args_fail(x->args,
	    "%.400s: %" PRId64 " events were written; what is named above is"
	    " lost",
	    x->args->db, x->written);
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
	if (x.is_salvage)
		status = salvage(&x);
	else if ((status = args_open(a, false, &log)) == STATUS_OK)
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
