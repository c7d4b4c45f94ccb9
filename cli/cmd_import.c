/*
 * rowcast import: lines of JSON → rows, many in one transaction.
 *
 * Input is read and parsed before the log is locked, so that a slow input does
 * not block other writers, and it is committed before import waits for more.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/body/body.h"
#include "lib/descriptor.h"
#include "args.h"
#include "json.h"
#include "meter.h"
#include "output.h"

#define BATCH_EVENTS 1000   /* in one transaction */
#define PIECE_BYTES 1048576 /* parsed at once */

/*
 * One import.
 *   piece      PIECE_BYTES of input
 *   read_bytes of input so far
 *   bad_line   the line that why is about; 0: none
 *   why        the first failure, a sentence; "": none
 */
struct import {
	struct args *args;
	const char *path; /* NULL: standard input */
	int fd;
	int64_t line_bytes;
	struct log *log;
	struct log *json;
	struct body *body;
	struct meter meter;
	char *piece;
	int64_t read_bytes;
	int64_t imported;
	int64_t repeated;
	int64_t last_id;
	uint64_t bad_line;
	char why[LOG_WHY_MAX + 512];
};

/* Keep the first failure.  Returns -1. */
__attribute__((format(printf, 3, 4))) static int
fail(struct import *m, uint64_t line, const char *format, ...)
{
	va_list args;

	if (m->why[0] != '\0')
		return -1;
	m->bad_line = line;
	va_start(args, format);
	(void)vsnprintf(m->why, sizeof(m->why), format, args);
	va_end(args);
	return -1;
}

/* ---- the log ---- */

static int
fail_log(struct import *m, const char *why)
{
	return fail(m, 0, "%.400s: %s.", m->args->db, why);
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

/* Append up to BATCH_EVENTS in one transaction, of which the first is number
   first of the piece.  Those before a refused one are kept. */
static int
commit_batch(struct import *m, const struct event *events, size_t n,
    size_t first)
{
	struct log_receipt receipts[BATCH_EVENTS];
	enum log_result result = LOG_OK;
	char why[LOG_WHY_MAX];
	size_t added, culprit;

	if (log_group_begin(m->log) != LOG_OK)
		return fail_log(m, log_why(m->log));
	for (added = 0; added < n; added++) {
		result = log_group_add(m->log, &events[added], 1,
		    &receipts[added], &culprit);
		if (result != LOG_OK)
			break;
	}
	(void)snprintf(why, sizeof(why), "%s", log_why(m->log));
	if (result != LOG_OK && result != LOG_REFUSED &&
	    result != LOG_CONFLICT) {
		log_group_drop(m->log);
		return fail_log(m, why);
	}
	if (log_group_commit(m->log) != LOG_OK)
		return fail_log(m, log_why(m->log));
	count(m, receipts, added);
	if (result != LOG_OK) {
		char where[BODY_WHERE_MAX];

		body_where(m->body, first + added, where);
		return fail(m, body_line(m->body, first + added),
		    "%sThe event is refused: %s.", where, why);
	}
	return 0;
}

static int
commit(struct import *m)
{
	size_t n, batch;
	const struct event *events = body_events(m->body, &n);

	for (size_t at = 0; at < n; at += batch) {
		batch = n - at < BATCH_EVENTS ? n - at : BATCH_EVENTS;
		if (commit_batch(m, events + at, batch, at) != 0)
			return -1;
		meter_show(&m->meter, m->read_bytes, m->imported + m->repeated);
	}
	return 0;
}

/* ---- the input ---- */

/*
 * Wait for input and read what has come, up to a piece.
 *   returns  the number of bytes; *is_over: at the end, or after an error,
 *            which *error is then
 */
static size_t
read_piece(struct import *m, bool *is_over, int *error)
{
	size_t len = 0;

	do {
		ssize_t got =
		    descriptor_read(m->fd, m->piece + len, PIECE_BYTES - len);

		*error = got < 0 ? errno : 0;
		*is_over = got <= 0;
		len += got > 0 ? (size_t)got : 0;
	} while (!*is_over && len < PIECE_BYTES && descriptor_is_ready(m->fd));
	m->read_bytes += (int64_t)len;
	return len;
}

/* Commit what body_take() or body_end() gave, then look at its problem. */
static int
use_events(struct import *m, int result, const struct problem *p)
{
	size_t n;

	if (commit(m) != 0)
		return -1;
	(void)body_events(m->body, &n);
	if (result != 0)
		return fail(m, p->status >= 500 ? 0 : body_line(m->body, n),
		    "%s", p->detail);
	body_clear(m->body);
	return 0;
}

static void
import_lines(struct import *m)
{
	struct problem p;
	bool is_over = false;
	int error = 0, result = 0;
	size_t len;

	while (result == 0 && !is_over) {
		len = read_piece(m, &is_over, &error);
		result =
		    use_events(m, body_take(m->body, m->piece, len, &p), &p);
	}
	if (result == 0 && error == 0)
		(void)use_events(m, body_end(m->body, &p), &p);
	else if (error != 0)
		(void)fail(m, 0, "%.400s: %s.",
		    m->path != NULL ? m->path : "standard input",
		    error == EISDIR ? "is a folder: name a file in it" :
				      descriptor_error(error));
}

/* ---- the result ---- */

static void
add_summary(const struct import *m, struct buffer *out)
{
	json_open(out, NULL, '{');
	json_number(out, "imported", m->imported);
	json_number(out, "repeated", m->repeated);
	if (m->last_id > 0)
		json_number(out, "last_id", m->last_id);
	else
		json_null(out, "last_id");
	if (m->bad_line > 0)
		json_number(out, "line", (int64_t)m->bad_line);
	if (m->why[0] != '\0')
		json_string(out, "error", m->why);
	json_close(out, '}');
}

static enum status
report(const struct import *m)
{
	enum status status = STATUS_OK;
	struct buffer out = { 0 };
	char counts[96];

	(void)snprintf(counts, sizeof(counts),
	    "%" PRId64 " imported, %" PRId64 " repeated", m->imported,
	    m->repeated);
	if (m->args->is_json)
		add_summary(m, &out);
	else if (m->why[0] == '\0')
		buffer_add_string(&out, counts);
	if (out.len > 0 && output_line(&out) != 0)
		status = STATUS_FAILED;
	if (m->why[0] == '\0')
		return status;
	return args_fail(m->args, "%s  Before it: %s; after it: nothing",
	    m->why, counts);
}

/* ---- beginning ---- */

static const struct option table[] = {
	{ "max-line-bytes", NULL, NULL, "N", "1048576", "refuse longer lines",
	    OPTION_NUMBER(struct import, line_bytes, 2, EVENT_DATA_MAX, 1) },
	OPTION_END,
};

static int
read_options(struct import *m)
{
	if (args_read(m->args, m, 1) != 0)
		return -1;
	m->path = m->args->argv[1];
	if (m->path != NULL && strcmp(m->path, "-") == 0)
		m->path = NULL;
	return 0;
}

static int
open_input(struct import *m)
{
	const struct body_options options = {
		.media = MEDIA_NDJSON,
		.length = -1,
		.max_bytes = (size_t)m->line_bytes,
		.limit_name = "--max-line-bytes",
		.is_export = true,
	};
	struct problem p;
	struct stat st = { 0 };

	m->fd = STDIN_FILENO;
	if (m->path != NULL)
		m->fd = open(m->path, O_RDONLY | O_CLOEXEC);
	if (m->fd < 0) {
		m->args->status =
		    args_fail(m->args, "%.400s: %s", m->path, strerror(errno));
		return -1;
	}
	m->piece = malloc(PIECE_BYTES);
	m->json = log_open_memory();
	m->body = body_new(&options, m->json, &p);
	if (m->piece == NULL || m->json == NULL || m->body == NULL) {
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
	body_free(m->body);
	free(m->piece);
	log_close(m->json);
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
	status = read_options(m) == 0 ? run_on(m) : a->status;
	free(m);
	return status;
}

const struct command import_command = {
	.name = "import",
	.usage =
	    "Usage: rowcast import [OPTION]... [FILE]\n"
	    "Append events from FILE or standard input: one JSON object\n"
	    "per line, with the member data and optionally topic, event,\n"
	    "retry and key.  data may be any value: a string is stored\n"
	    "decoded, another value as its JSON text.  id and created_ms,\n"
	    "which rowcast export writes, are ignored: the log assigns new\n"
	    "ones.\n\n"
	    "Stops at the first malformed line and prints its number: lines\n"
	    "before it are in the log, lines after it are not.  Lines that\n"
	    "have a key can be imported again: a known key is not added\n"
	    "again.\n\n",
	.notes = "\nWith --json, prints {\"imported\":N,\"repeated\":N,"
		 "\"last_id\":N}, with line\nand error if it stopped early.\n",
	.options = table,
	.run = run,
};
