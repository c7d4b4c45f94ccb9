/*
 * rowcast init: create a log, or bring one to the schema of this release.
 */
#include <sys/stat.h>

#include <inttypes.h>

#include "lib/log/admin.h"
#include "args.h"
#include "json.h"
#include "output.h"

struct init {
	bool is_upgrade;
};

static const struct option table[] = {
	{ "upgrade", NULL, NULL, NULL, NULL,
	    "give an existing log the triggers and views of this release, and"
	    " add what is missing",
	    OPTION_PLAIN(FLAG, struct init, is_upgrade) },
	OPTION_END,
};

static enum status
upgrade(const struct args *a)
{
	const struct log_options options = {
		.path = a->db,
		.append = true,
		.upgrade = true,
		.bounded = true,
		.busy_ms = a->busy_ms,
	};
	enum status status = args_need_file(a);
	struct buffer out = { 0 };
	char why[LOG_WHY_MAX];
	int64_t changed;
	struct log *log;

	if (status != STATUS_OK)
		return status;
	if (log_open(&options, &log, why) != LOG_OK)
		return args_fail_log(a, why);
	if (log_upgrade(log, &changed) != LOG_OK) {
		status = args_fail_log(a, log_why(log));
		log_close(log);
		return status;
	}
	if (a->is_json) {
		json_open(&out, NULL, '{');
		json_string(&out, "path", a->db);
		json_number(&out, "upgraded", changed);
		json_string(&out, "identity", log_identity(log));
		json_close(&out, '}');
	} else if (changed > 0) {
		buffer_print(&out, "%s: upgraded, %" PRId64 " changes", a->db,
		    changed);
	} else {
		buffer_print(&out, "%s: is up to date", a->db);
	}
	log_close(log);
	return output_line(&out) == 0 ? STATUS_OK : STATUS_FAILED;
}

static enum status
print(const struct args *a, const struct log *log, bool is_new)
{
	struct buffer out = { 0 };

	if (a->is_json) {
		json_open(&out, NULL, '{');
		json_string(&out, "path", a->db);
		json_bool(&out, "created", is_new);
		json_string(&out, "identity", log_identity(log));
		json_close(&out, '}');
	} else {
		buffer_print(&out, "%s: is a log %s", a->db,
		    is_new ? "now" : "already");
	}
	return output_line(&out) == 0 ? STATUS_OK : STATUS_FAILED;
}

static enum status
run(struct args *a)
{
	struct log_options options = {
		.create = true,
		.append = true,
		.bounded = true,
	};
	char why[LOG_WHY_MAX];
	struct init init = { 0 };
	enum status status;
	struct log *log;
	struct stat st;
	bool is_new;

	if (args_read(a, &init, 1) != 0)
		return a->status;
	if (a->argv[1] != NULL)
		a->db = a->argv[1];
	if ((status = args_need_db(a)) != STATUS_OK)
		return status;
	if (init.is_upgrade)
		return upgrade(a);
	/* not every user of the machine may read the events */
	(void)umask(umask(0) | S_IRWXO); /* cannot fail; one thread */
	is_new = stat(a->db, &st) != 0 || st.st_size == 0;
	options.path = a->db;
	options.busy_ms = a->busy_ms;
	if (log_open(&options, &log, why) != LOG_OK)
		return args_fail_log(a, why);
	status = print(a, log, is_new);
	log_close(log);
	return status;
}

const struct command init_command = {
	.name = "init",
	.usage =
	    "Usage: rowcast init [OPTION]... [FILE]\n"
	    "Create an event log in FILE, or in the file that --db names.\n"
	    "The file must be missing or empty; an existing log is left as\n"
	    "it is.  Only the owner and the group of the file may read it.\n\n"
	    "To add a log to the database of an application:\n"
	    "sqlite3 -bail FILE <schema.sql\n\n",
	.notes = "\nWith --json, prints"
		 " {\"path\":…,\"created\":true,\"identity\":…},\n"
		 "or, with --upgrade, the number of changes:\n"
		 "{\"path\":…,\"upgraded\":6,\"identity\":…}.\n",
	.options = table,
	.run = run,
};
