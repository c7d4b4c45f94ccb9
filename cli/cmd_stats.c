/*
 * rowcast stats: print the size of a log, and how fast it grows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/log/admin.h"
#include "args.h"
#include "json.h"
#include "output.h"

#define TOPICS 10

struct stats {
	struct args *args;
	struct log_stats log;
	int64_t rules; /* of retention */
	const char *identity;
	struct buffer out;
};

/* ---- for people ---- */

/* Write a rounded size such as "1.4 MB". */
static const char *
size_text(int64_t bytes, char out[32])
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	double n = (double)bytes;
	size_t unit = 0;

	while (n >= 1000 && unit < 4) {
		n /= 1000;
		unit++;
	}
	(void)snprintf(out, 32, unit == 0 ? "%.0f %s" : "%.1f %s", n,
	    units[unit]);
	return out;
}

static void
print_lines(struct stats *s)
{
	const struct log_stats *log = &s->log;
	char data[32], file[32], wal[32];
	int64_t hour = 0, most = 0;

	for (size_t i = 0; i < LOG_STATS_MINUTES; i++) {
		hour += log->minutes[i];
		if (log->minutes[i] > most)
			most = log->minutes[i];
	}
	buffer_print(&s->out,
	    "events       %" PRId64 ", ids %" PRId64 " to %" PRId64 "\n"
	    "head         %" PRId64 "\n"
	    "removed      %" PRId64 "\n"
	    "bytes        %s of data; file %s, WAL %s\n"
	    "last hour    %" PRId64 " events, %.1f a minute, at most %" PRId64
	    "\n",
	    log->rows, log->first, log->last, log->head, log->removed,
	    size_text(log->data_bytes, data), size_text(log->file_bytes, file),
	    size_text(log->wal_bytes, wal), hour,
	    (double)hour / LOG_STATS_MINUTES, most);
	if (log_ids_left(log->head) < LOG_IDS_FEW)
		buffer_print(&s->out,
		    "ids left     %" PRId64
		    ": 'sqlite3 -bail FILE <renumber.sql' gives new ones\n",
		    log_ids_left(log->head));
	buffer_print(&s->out,
	    "settings     format %" PRId64 ", WAL, pages of %" PRId64
	    " bytes, auto_vacuum %" PRId64 ", SQLite %s\n"
	    "retention    %" PRId64 " rules\n"
	    "identity     %s\n"
	    "topics       %" PRId64 "%s\n",
	    log->format, log->page_bytes, log->auto_vacuum, log->sqlite,
	    s->rules, s->identity, log->topics,
	    log->topics > TOPICS ? ", the largest:" : "");
}

static void
on_topic_line(void *cookie, struct text topic, int64_t rows)
{
	struct stats *s = cookie;

	buffer_print(&s->out, "%12" PRId64 "  %s", rows,
	    topic.len == 0 ? "(the empty topic)" : "");
	buffer_escape(&s->out, topic, "");
	buffer_add_string(&s->out, "\n");
}

/* ---- for programs ---- */

static void
on_topic_json(void *cookie, struct text topic, int64_t rows)
{
	struct stats *s = cookie;

	json_open(&s->out, NULL, '{');
	json_text(&s->out, "topic", topic);
	json_number(&s->out, "rows", rows);
	json_close(&s->out, '}');
}

static void
print_json(struct stats *s)
{
	const struct log_stats *log = &s->log;
	struct buffer *b = &s->out;

	json_number(b, "rows", log->rows);
	json_number(b, "first_id", log->first);
	json_number(b, "last_id", log->last);
	json_number(b, "head", log->head);
	json_number(b, "removed", log->removed);
	json_number(b, "data_bytes", log->data_bytes);
	json_number(b, "file_bytes", log->file_bytes);
	json_number(b, "wal_bytes", log->wal_bytes);
	json_open(b, "minutes", '[');
	for (size_t i = 0; i < LOG_STATS_MINUTES; i++)
		json_number(b, NULL, log->minutes[i]);
	json_close(b, ']');
	json_number(b, "format", log->format);
	json_string(b, "identity", s->identity);
	json_number(b, "page_bytes", log->page_bytes);
	json_number(b, "auto_vacuum", log->auto_vacuum);
	json_string(b, "sqlite", log->sqlite);
	json_number(b, "retention_rules", s->rules);
	json_number(b, "topics", log->topics);
}

static enum status
print(struct stats *s, struct log *log)
{
	bool is_json = s->args->is_json;
	enum log_result result;

	if (is_json) {
		json_open(&s->out, NULL, '{');
		print_json(s);
		json_open(&s->out, "largest_topics", '[');
	} else {
		print_lines(s);
	}
	result = log_largest_topics(log, TOPICS,
	    is_json ? on_topic_json : on_topic_line, s);
	if (result != LOG_OK)
		return args_fail_log(s->args, log_why(log));
	if (is_json) {
		json_close(&s->out, ']');
		json_close(&s->out, '}');
		buffer_add_string(&s->out, "\n");
	}
	return output_write(&s->out) == 0 ? STATUS_OK : STATUS_FAILED;
}

static enum status
run_on(struct stats *s, struct log *log)
{
	struct timespec now;
	int64_t now_ms;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	s->identity = log_identity(log);
	if (log_count(log, now_ms, &s->log) != LOG_OK ||
	    log_rules(log, &s->rules) != LOG_OK)
		return args_fail_log(s->args, log_why(log));
	return print(s, log);
}

static enum status
run(struct args *a)
{
	struct stats s = { .args = a };
	enum status status;
	struct log *log;

	if (args_read(a, &s, 0) != 0)
		return a->status;
	status = args_open(a, false, &log);
	if (status == STATUS_OK)
		status = run_on(&s, log);
	log_close(log);
	buffer_free(&s.out);
	return status;
}

const struct command stats_command = {
	.name = "stats",
	.usage =
	    "Usage: rowcast stats [OPTION]...\n"
	    "Print the number of events in a log, its bytes, its largest\n"
	    "topics, the events of the last hour, and its settings.  Reads\n"
	    "every event.\n\n",
	.notes =
	    "\nWith --json, prints one object; its member minutes holds the\n"
	    "number of events in each minute of the last hour, oldest\n"
	    "first.\n",
	.run = run,
};
