/*
 * rowcast import: NDJSON → rows, a batch of lines in one transaction.
 *
 * Lines are read and understood before the log is locked, so that a slow input
 * holds up nobody; and what has come is committed before more is waited for.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "json.h"
#include "line.h"
#include "lines.h"
#include "meter.h"
#include "output.h"
#include "value.h"

#define BATCH_LINES 1000
#define BATCH_BYTES 4194304 /* of text: memory, whatever the lines hold */
#define LINE_BYTES 1048576
#define LINE_BYTES_MAX 268435456

static const char help[] =
    "Usage: rowcast import [OPTION]... [FILE]\n"
    "Append events from FILE, or standard input: one JSON object on each line,\n"
    "with data, and as it may be topic, event, retry and key.  data may be any\n"
    "value: what is no string is kept as its JSON text.  id and created_ms, which\n"
    "an export has, are passed over: the log gives new ones.\n"
    "\n"
    "Ends at the first line that is wrong, and says which: the lines before it\n"
    "are in the log, those after it are not.  Lines with a key can be imported\n"
    "again without adding anything twice.\n"
    "\n"
    "      --max-line-bytes N  default 1048576\n"
    "      --json              {\"imported\":N,\"repeated\":N,\"last_id\":N}, and\n"
    "                          line and error where it ended early\n"
    "      --db FILE, --busy-ms N, --help, --version\n";

enum { OPTION_LINE_BYTES = ARGS_OWN };

static const struct option longs[] = {
	ARGS_COMMON,
	{ "max-line-bytes", required_argument, NULL, OPTION_LINE_BYTES },
	{ NULL, 0, NULL, 0 },
};

/*
 * One import.
 *   batch      lines that are understood and not in the log yet
 *   numbers    of those lines
 *   why        one line about the line number bad_line, or about none: 0
 */
struct import {
	struct args *args;
	const char *path; /* NULL: standard input */
	int fd;
	int64_t line_bytes;
	struct log *log;
	struct log_json *json;
	struct lines *lines;
	struct meter meter;
	struct line batch[BATCH_LINES];
	int64_t numbers[BATCH_LINES];
	size_t n;
	size_t batch_bytes;
	int64_t imported;
	int64_t repeated;
	int64_t last_id;
	int64_t bad_line;
	char why[LOG_WHY_MAX];
};

static int
fail(struct import *m, int64_t line, const char *why)
{
	/* the first trouble counts: what is committed after it is before it */
	if (m->why[0] != '\0')
		return -1;
	m->bad_line = line;
	(void)snprintf(m->why, sizeof(m->why), "%s", why);
	return -1;
}

/* ---- the log ---- */

static void
drop_batch(struct import *m)
{
	for (size_t i = 0; i < m->n; i++)
		line_free(&m->batch[i]);
	m->n = 0;
	m->batch_bytes = 0;
}

/* Add the lines up to the first that the log does not take; *n is how many were
   taken. */
static enum log_result
add_lines(struct import *m, struct log_receipt *receipts, size_t *n)
{
	enum log_result result = LOG_OK;
	size_t culprit;

	for (*n = 0; *n < m->n; ++*n) {
		result = log_group_add(m->log, &m->batch[*n].event, 1,
		    &receipts[*n], &culprit);
		if (result != LOG_OK)
			break;
	}
	return result;
}

static void
count(struct import *m, const struct log_receipt *receipts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		m->imported += receipts[i].is_new ? 1 : 0;
		m->repeated += receipts[i].is_new ? 0 : 1;
		m->last_id = receipts[i].id;
	}
}

static int
commit_lines(struct import *m)
{
	struct log_receipt receipts[BATCH_LINES];
	char why[LOG_WHY_MAX] = "";
	enum log_result result, committed;
	size_t n = 0;

	if (log_group_begin(m->log) != LOG_OK)
		return fail(m, 0, log_why(m->log));
	result = add_lines(m, receipts, &n);
	if (result != LOG_OK)
		(void)snprintf(why, sizeof(why), "%s",
		    args_refusal(log_why(m->log)));
	if (result != LOG_OK && result != LOG_REFUSED &&
	    result != LOG_CONFLICT) {
		log_group_drop(m->log);
		return fail(m, 0, why);
	}
	committed = log_group_commit(m->log);
	if (committed != LOG_OK)
		return fail(m, 0, log_why(m->log));
	count(m, receipts, n);
	return result == LOG_OK ? 0 : fail(m, m->numbers[n], why);
}

/* A line that was wrong before comes after these. */
static int
commit(struct import *m)
{
	char why[LOG_WHY_MAX];
	int64_t bad_line = m->bad_line;
	int result;

	if (m->n == 0)
		return 0;
	memcpy(why, m->why, sizeof(why));
	m->why[0] = '\0';
	result = commit_lines(m);
	if (result == 0) {
		memcpy(m->why, why, sizeof(m->why));
		m->bad_line = bad_line;
	}
	drop_batch(m);
	return result;
}

/* ---- lines ---- */

static int
take_line(struct import *m, struct text text)
{
	char why[LOG_WHY_MAX];

	if (line_is_blank(text))
		return 0;
	if (line_read(m->json, text, &m->batch[m->n], why) != LOG_OK)
		return fail(m, lines_number(m->lines), why);
	m->numbers[m->n++] = lines_number(m->lines);
	m->batch_bytes += text.len;
	return 0;
}

static int
next_line(struct import *m, bool *is_over)
{
	struct text text;
	char why[64];

	switch (lines_next(m->lines, &text)) {
	case LINES_LINE:
		return take_line(m, text);
	case LINES_END:
		*is_over = true;
		return 0;
	case LINES_LONG:
		(void)snprintf(why, sizeof(why),
		    "longer than %lld bytes (--max-line-bytes)",
		    (long long)m->line_bytes);
		return fail(m, lines_number(m->lines), why);
	case LINES_TROUBLE:
		break;
	}
	return fail(m, 0, strerror(errno));
}

static void
import_lines(struct import *m)
{
	bool is_over = false;
	int result = 0;

	while (!is_over && result == 0) {
		result = next_line(m, &is_over);
		if (m->n < BATCH_LINES && m->batch_bytes < BATCH_BYTES &&
		    result == 0 && !is_over && lines_is_ready(m->lines))
			continue;
		if (commit(m) != 0)
			result = -1;
		meter_show(&m->meter, lines_bytes(m->lines),
		    m->imported + m->repeated);
	}
}

/* ---- the result ---- */

static enum status
print_summary(const struct import *m)
{
	struct buffer out = { 0 };
	int written;

	json_open(&out, NULL, '{');
	json_number(&out, "imported", m->imported);
	json_number(&out, "repeated", m->repeated);
	if (m->last_id > 0)
		json_number(&out, "last_id", m->last_id);
	else
		json_null(&out, "last_id");
	if (m->bad_line > 0)
		json_number(&out, "line", m->bad_line);
	if (m->why[0] != '\0')
		json_string(&out, "error", m->why);
	json_close(&out, '}');
	buffer_add_string(&out, "\n");
	written = output_write(&out);
	buffer_free(&out);
	return written == 0 ? STATUS_OK : STATUS_FAILED;
}

static enum status
report(const struct import *m)
{
	enum status status = STATUS_OK;
	char where[32] = "";
	char before[96];

	if (m->args->is_json)
		status = print_summary(m);
	(void)snprintf(before, sizeof(before), "%lld imported, %lld repeated",
	    (long long)m->imported, (long long)m->repeated);
	if (m->why[0] == '\0') {
		if (!m->args->is_json && printf("%s\n", before) < 0)
			status = STATUS_FAILED;
		if (fflush(stdout) != 0)
			status = args_fail(m->args, "standard output: %s",
			    strerror(errno));
		return status;
	}
	if (m->bad_line > 0)
		(void)snprintf(where, sizeof(where),
		    "line %lld: ", (long long)m->bad_line);
	return args_fail(m->args, "%s%s; before it %s, nothing after", where,
	    m->why, before);
}

/* ---- beginning ---- */

static int
read_options(struct import *m)
{
	struct args *a = m->args;
	int id;

	while ((id = args_next(a, "", longs)) != ARGS_END) {
		if (id == ARGS_STOP)
			return -1;
		if (value_number(optarg, 2, LINE_BYTES_MAX, &m->line_bytes) !=
		    0) {
			a->status = args_refuse(a,
			    "--max-line-bytes '%.40s' is no number from 2 to"
			    " %d",
			    optarg, LINE_BYTES_MAX);
			return -1;
		}
	}
	if (a->at < a->argc && strcmp(a->argv[a->at], "-") != 0)
		m->path = a->argv[a->at];
	if (a->at < a->argc)
		a->at++;
	return args_none(a);
}

static int
open_input(struct import *m)
{
	struct stat st = { 0 };

	m->fd = STDIN_FILENO;
	if (m->path != NULL)
		m->fd = open(m->path, O_RDONLY | O_CLOEXEC);
	if (m->fd < 0) {
		m->args->status =
		    args_fail(m->args, "%.400s: %s", m->path, strerror(errno));
		return -1;
	}
	m->lines = lines_new(m->fd, (size_t)m->line_bytes);
	m->json = log_json_new();
	if (m->lines == NULL || m->json == NULL) {
		m->args->status = args_fail(m->args, "out of memory");
		return -1;
	}
	if (fstat(m->fd, &st) != 0 || !S_ISREG(st.st_mode))
		st.st_size = 0;
	meter_begin(&m->meter, st.st_size);
	return 0;
}

static enum status
run_on(struct import *m)
{
	enum status status = args_open(m->args, true, &m->log);

	if (status != STATUS_OK)
		return status;
	if (open_input(m) == 0) {
		import_lines(m);
		meter_end(&m->meter);
		status = report(m);
	} else {
		status = m->args->status;
	}
	drop_batch(m);
	lines_free(m->lines);
	log_json_free(m->json);
	log_close(m->log);
	if (m->path != NULL && m->fd >= 0)
		(void)close(m->fd); /* it was only read */
	return status;
}

static enum status
run(struct args *a)
{
	struct import *m = calloc(1, sizeof(*m));
	enum status status;

	if (m == NULL)
		return args_fail(a, "out of memory");
	m->args = a;
	m->line_bytes = LINE_BYTES;
	status = read_options(m) == 0 ? run_on(m) : a->status;
	free(m);
	return status;
}

const struct command import_command = {
	.name = "import",
	.summary = "append events from lines of JSON",
	.help = help,
	.run = run,
};
