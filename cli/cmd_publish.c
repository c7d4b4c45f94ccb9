/*
 * rowcast publish: append one event.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/body/fields.h"
#include "lib/descriptor.h"
#include "lib/utf8.h"
#include "lib/value.h"
#include "args.h"
#include "output.h"

#define READ_BYTES 65536
#define NOT_UTF8 "is not UTF-8; convert it with iconv"

struct publish {
	struct args *args;
	struct event event;
	int64_t max_bytes;
	struct buffer input; /* where the data lies if it was read */
};

/* ---- options ---- */

static enum options_result
read_text(void *field, const char *value, char *why)
{
	struct text *t = field;

	*t = text_of(value);
	if (utf8_is_valid(*t))
		return OPTIONS_OK;
	return value_refuse(why, "the value " NOT_UTF8);
}

static enum options_result
read_name(void *field, const char *value, char *why)
{
	if (fields_is_browser_name(text_of(value)))
		return value_refuse(why,
		    "browsers fire events named '%s' themselves; choose another"
		    " name",
		    value);
	return read_text(field, value, why);
}

static const struct option table[] = {
	{ "topic", "t", NULL, "T", NULL, "topic (default: the empty topic)",
	    OPTION_OTHER(struct publish, event.topic, read_text) },
	{ "event", "e", NULL, "NAME", EVENT_DEFAULT_NAME, "event name",
	    OPTION_OTHER(struct publish, event.name, read_name) },
	{ "key", "k", NULL, "KEY", NULL,
	    "idempotency key: an event with a known key is not added again,"
	    " and the id of the first is printed",
	    OPTION_OTHER(struct publish, event.key, read_text) },
	{ "retry", "r", NULL, "MS", NULL,
	    "reconnection time for the clients that get the event",
	    OPTION_NUMBER(struct publish, event.retry_ms, 0, EVENT_RETRY_MAX_MS,
		1) },
	{ "max-bytes", NULL, NULL, "N", "1048576",
	    "refuse longer standard input",
	    OPTION_NUMBER(struct publish, max_bytes, 0, EVENT_DATA_MAX, 1) },
	OPTION_END,
};

static int
read_options(struct publish *p)
{
	struct args *a = p->args;
	const char *data;

	if (args_read(a, p, -1) != 0)
		return -1;
	data = a->argv[1];
	if (data != NULL && a->argv[2] != NULL) {
		a->status = args_refuse(a,
		    "'%.80s': unexpected argument; put quotes around DATA that"
		    " has spaces",
		    a->argv[2]);
		return -1;
	}
	if (data == NULL || strcmp(data, "-") == 0)
		return 0;
	p->event.data = text_of(data);
	if (utf8_is_valid(p->event.data))
		return 0;
	a->status = args_refuse(a, "DATA " NOT_UTF8);
	return -1;
}

/* ---- standard input ---- */

static int
read_data(struct publish *p)
{
	struct text *data = &p->event.data;
	ssize_t got;
	char *room;

	if (isatty(STDIN_FILENO) == 1)
		(void)fprintf(stderr, "data, then Ctrl-D:\n"); /* optional */
	do {
		room = buffer_room(&p->input, READ_BYTES);
		got = room == NULL ?
		    -1 :
		    descriptor_read(STDIN_FILENO, room, READ_BYTES);
		if (got < 0) {
			p->args->status = args_fail(p->args,
			    "standard input: %s", descriptor_error(errno));
			return -1;
		}
		p->input.len -= READ_BYTES - (size_t)got;
		/* one more for the line feed that is left out */
	} while (got > 0 && p->input.len <= (size_t)p->max_bytes + 1);
	*data = (struct text){ p->input.bytes, p->input.len };
	if (data->len > 0 && data->bytes[data->len - 1] == '\n')
		data->len--;
	if (data->len > (size_t)p->max_bytes)
		p->args->status = args_fail(p->args,
		    "standard input: more than %lld bytes; --max-bytes"
		    " raises the limit",
		    (long long)p->max_bytes);
	else if (data->len == 0)
		p->args->status = args_fail(p->args,
		    "standard input is empty: nothing is published; to publish"
		    " empty data, give '' as DATA");
	else if (!utf8_is_valid(*data))
		p->args->status =
		    args_fail(p->args, "standard input: " NOT_UTF8);
	else
		return 0;
	return -1;
}

/* ---- the log ---- */

static enum status
print_receipt(const struct args *a, const struct log_receipt *receipt)
{
	struct buffer out = { 0 };

	buffer_print(&out,
	    a->is_json ? "{\"id\":%" PRId64 ",\"new\":%s}" : "%" PRId64,
	    receipt->id, receipt->is_new ? "true" : "false");
	return output_line(&out) == 0 ? STATUS_OK : STATUS_FAILED;
}

static enum status
append(struct publish *p)
{
	struct log_receipt receipt;
	struct log *log;
	enum log_result result;
	enum status status;
	size_t culprit = 0;

	status = args_open(p->args, true, &log);
	if (status != STATUS_OK)
		return status;
	result = log_append(log, &p->event, 1, &receipt, &culprit);
	if (result == LOG_OK)
		status = print_receipt(p->args, &receipt);
	else if (result == LOG_REFUSED || result == LOG_CONFLICT)
		status = args_fail(p->args, "the event is refused: %s",
		    log_why(log));
	else
		status = args_fail_log(p->args, log_why(log));
	log_close(log);
	return status;
}

static enum status
run(struct args *a)
{
	struct publish p = {
		.args = a,
		.event = { .topic = { "", 0 }, .retry_ms = EVENT_NO_RETRY },
	};
	enum status status;

	if (read_options(&p) != 0)
		return a->status;
	/* before a user types data */
	if ((status = args_need_db(a)) != STATUS_OK)
		return status;
	if (p.event.data.bytes == NULL && read_data(&p) != 0)
		status = a->status;
	else
		status = append(&p);
	buffer_free(&p.input);
	return status;
}

const struct command publish_command = {
	.name = "publish",
	.usage =
	    "Usage: rowcast publish [OPTION]... [DATA]\n"
	    "Append one event and print its id.  If DATA is - or missing, the\n"
	    "data is standard input up to its end, without a line feed at the\n"
	    "very end.  Empty input is refused; DATA may be ''.\n\n",
	.notes = "\nWith --json, prints {\"id\":42,\"new\":true}; new is false"
		 " for a known key.\n",
	.options = table,
	.run = run,
};
