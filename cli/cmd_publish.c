/*
 * rowcast publish: append one event.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/utf8.h"
#include "command.h"
#include "json.h"
#include "output.h"
#include "value.h"

#define DATA_BYTES 1048576
#define DATA_BYTES_MAX 268435456
#define READ_BYTES 65536

static const char help[] =
    "Usage: rowcast publish [OPTION]... [DATA]\n"
    "Append one event and print its id.  Without DATA it is read from standard\n"
    "input, up to the end; a line feed at its very end is left out.\n"
    "\n"
    "  -t, --topic T       what it is about; default: the empty topic\n"
    "  -e, --event NAME    default: message\n"
    "  -k, --key KEY       where the log has this event with this key already,\n"
    "                      nothing is added, and its id is printed\n"
    "  -r, --retry MS      reconnection time for the clients that get it\n"
    "      --max-bytes N   read no more than this, default 1048576\n"
    "      --json          {\"id\":42,\"new\":true}; new is false for a known key\n"
    "      --db FILE, --busy-ms N, --help, --version\n";

enum { OPTION_MAX_BYTES = ARGS_OWN };

static const char shorts[] = "t:e:k:r:";

static const struct option longs[] = {
	ARGS_COMMON,
	{ "topic", required_argument, NULL, 't' },
	{ "event", required_argument, NULL, 'e' },
	{ "key", required_argument, NULL, 'k' },
	{ "retry", required_argument, NULL, 'r' },
	{ "max-bytes", required_argument, NULL, OPTION_MAX_BYTES },
	{ NULL, 0, NULL, 0 },
};

struct publish {
	struct args *args;
	struct event event;
	int64_t max_bytes;
	struct buffer input; /* where the data lies if it was read */
};

/* ---- options ---- */

static int
take_text(struct publish *p, const char *name, struct text *field,
    const char *value)
{
	const struct text t = text_of(value);

	if (utf8_is_valid(t)) {
		*field = t;
		return 0;
	}
	p->args->status = args_refuse(p->args, "%s is not UTF-8", name);
	return -1;
}

static int
take_number(struct publish *p, const char *name, int64_t max, int64_t *field,
    const char *value)
{
	if (value_number(value, 0, max, field) == 0)
		return 0;
	p->args->status =
	    args_refuse(p->args, "%s '%.40s' is no number from 0 to %lld", name,
		value, (long long)max);
	return -1;
}

static int
take_option(struct publish *p, int id)
{
	switch (id) {
	case 't':
		return take_text(p, "--topic", &p->event.topic, optarg);
	case 'e':
		return take_text(p, "--event", &p->event.name, optarg);
	case 'k':
		return take_text(p, "--key", &p->event.key, optarg);
	case 'r':
		return take_number(p, "--retry", EVENT_RETRY_MAX_MS,
		    &p->event.retry_ms, optarg);
	default:
		return take_number(p, "--max-bytes", DATA_BYTES_MAX,
		    &p->max_bytes, optarg);
	}
}

static int
read_options(struct publish *p)
{
	struct args *a = p->args;
	int id;

	while ((id = args_next(a, shorts, longs)) != ARGS_END)
		if (id == ARGS_STOP || take_option(p, id) != 0)
			return -1;
	if (a->at == a->argc)
		return 0;
	if (take_text(p, "DATA", &p->event.data, a->argv[a->at++]) != 0)
		return -1;
	return args_none(a);
}

/* ---- standard input ---- */

/* One more piece of it; returns its length, 0 at the end, -1 reported. */
static ssize_t
read_piece(struct publish *p)
{
	char *room = buffer_room(&p->input, READ_BYTES);
	ssize_t got;

	if (room == NULL) {
		p->args->status = args_fail(p->args, "out of memory");
		return -1;
	}
	got = descriptor_read(STDIN_FILENO, room, READ_BYTES);
	p->input.len -= READ_BYTES - (size_t)(got > 0 ? got : 0);
	if (got < 0)
		p->args->status =
		    args_fail(p->args, "standard input: %s", strerror(errno));
	return got;
}

static int
read_data(struct publish *p)
{
	struct text *data = &p->event.data;
	ssize_t got;

	if (isatty(STDIN_FILENO) == 1)
		(void)fprintf(stderr, "data, then Ctrl-D:\n"); /* a courtesy */
	while ((got = read_piece(p)) > 0) {
		/* one more for the line feed that is left out */
		if (p->input.len <= (size_t)p->max_bytes + 1)
			continue;
		break;
	}
	if (got < 0)
		return -1;
	*data = (struct text){ p->input.bytes, p->input.len };
	if (data->len > 0 && data->bytes[data->len - 1] == '\n')
		data->len--;
	if (data->len > (size_t)p->max_bytes)
		p->args->status = args_fail(p->args,
		    "standard input: more than %lld bytes (--max-bytes)",
		    (long long)p->max_bytes);
	else if (!utf8_is_valid(*data))
		p->args->status =
		    args_fail(p->args, "standard input: it is not UTF-8");
	else
		return 0;
	return -1;
}

/* ---- the log ---- */

static enum status
print_receipt(const struct args *a, const struct log_receipt *receipt)
{
	struct buffer out = { 0 };
	int written;

	if (a->is_json) {
		json_open(&out, NULL, '{');
		json_number(&out, "id", receipt->id);
		json_bool(&out, "new", receipt->is_new);
		json_close(&out, '}');
	} else {
		buffer_add_number(&out, receipt->id);
	}
	buffer_add_string(&out, "\n");
	written = output_write(&out);
	buffer_free(&out);
	return written == 0 ? STATUS_OK : STATUS_FAILED;
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
		.max_bytes = DATA_BYTES,
		.event = { .topic = { "", 0 },
		    .name = { EVENT_DEFAULT_NAME,
			sizeof(EVENT_DEFAULT_NAME) - 1 },
		    .retry_ms = EVENT_NO_RETRY },
	};
	enum status status;

	if (read_options(&p) != 0)
		return a->status;
	/* before anybody types anything */
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
	.summary = "append one event",
	.help = help,
	.run = run,
};
