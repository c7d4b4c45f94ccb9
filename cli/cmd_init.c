/*
 * rowcast init: make a log.
 */
#include <sys/stat.h>

#include "command.h"
#include "json.h"
#include "output.h"

static const char help[] =
    "Usage: rowcast init [OPTION]... [FILE]\n"
    "Make an event log: FILE, or what --db names.  A file that is missing or\n"
    "empty becomes one; one that is a log already is left as it is.\n"
    "\n"
    "Who is neither its owner nor of its group may not read it.\n"
    "To add a log to an application's database:\n"
    "sqlite3 -bail FILE <schema.sql\n"
    "\n"
    "      --json            {\"path\":…,\"created\":true,\"identity\":…}\n"
    "      --db FILE, --busy-ms N, --help, --version\n";

static const struct option longs[] = {
	ARGS_COMMON,
	{ NULL, 0, NULL, 0 },
};

static enum status
tell(const struct args *a, const struct log *log, bool is_new)
{
	struct buffer out = { 0 };
	int written;

	if (a->is_json) {
		json_open(&out, NULL, '{');
		json_string(&out, "path", a->db);
		json_bool(&out, "created", is_new);
		json_string(&out, "identity", log_identity(log));
		json_close(&out, '}');
	} else {
		buffer_add_string(&out, a->db);
		buffer_add_string(&out,
		    is_new ? ": is a log now" : ": is a log already");
	}
	buffer_add_string(&out, "\n");
	written = output_write(&out);
	buffer_free(&out);
	return written == 0 ? STATUS_OK : STATUS_FAILED;
}

static enum status
run(struct args *a)
{
	struct log_options options = { .create = true, .append = true };
	char why[LOG_WHY_MAX];
	enum status status;
	struct log *log;
	struct stat st;
	bool is_new;

	if (args_next(a, "", longs) == ARGS_STOP)
		return a->status;
	if (a->at < a->argc)
		a->db = a->argv[a->at++];
	if (args_none(a) != 0)
		return a->status;
	if ((status = args_need_db(a)) != STATUS_OK)
		return status;
	/* events are for whoever may read them: not for every user */
	(void)umask(umask(0) | S_IRWXO); /* cannot fail; one thread */
	is_new = stat(a->db, &st) != 0 || st.st_size == 0;
	if (!is_new && S_ISDIR(st.st_mode))
		return args_fail_log(a, "is a folder: name a file in it");
	options.path = a->db;
	options.busy_ms = a->busy_ms;
	if (log_open(&options, &log, why) != LOG_OK)
		return args_fail_log(a, why);
	status = tell(a, log, is_new);
	log_close(log);
	return status;
}

const struct command init_command = {
	.name = "init",
	.summary = "make a log",
	.help = help,
	.run = run,
};
