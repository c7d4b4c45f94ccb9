/*
 * rowcast check: examine a log.
 */
#include "lib/log/admin.h"
#include "lib/value.h"
#include "args.h"
#include "json.h"
#include "output.h"

#define EXPECTED_MAX 64

struct check {
	struct args *args;
	const char *expected[EXPECTED_MAX]; /* tables */
	size_t n_expected;
	struct buffer out; /* lines, or the members of an array */
	bool is_full;
	bool is_wrong;
};

static enum options_result
read_expected(void *config, const char *value, char *why)
{
	struct check *c = config;

	if (c->n_expected == EXPECTED_MAX)
		return value_refuse(why, "more than %d tables", EXPECTED_MAX);
	c->expected[c->n_expected++] = value;
	return OPTIONS_OK;
}

static const struct option table[] = {
	{ "expect", NULL, NULL, "TABLE", NULL,
	    "check that triggers publish the changes of this table; repeatable",
	    OPTION_KIND_OTHER, 0, 0, 0, 0, 0, read_expected },
	{ "full", NULL, NULL, NULL, NULL, "also compare indexes with tables",
	    OPTION_PLAIN(FLAG, struct check, is_full) },
	OPTION_END,
};

static const char *const finding_names[] = {
	[LOG_FINDING_GOOD] = "good",
	[LOG_FINDING_WARNING] = "warning",
	[LOG_FINDING_WRONG] = "wrong",
};

static void
on_finding(void *cookie, enum log_finding finding, const char *about,
    const char *line)
{
	struct check *c = cookie;

	c->is_wrong = c->is_wrong || finding == LOG_FINDING_WRONG;
	if (c->args->is_json) {
		json_open(&c->out, NULL, '{');
		json_string(&c->out, "finding", finding_names[finding]);
		json_string(&c->out, "about", about);
		json_string(&c->out, "text", line);
		json_close(&c->out, '}');
		return;
	}
	buffer_print(&c->out, "%-8s %s: ",
	    finding == LOG_FINDING_WRONG ? "WRONG" : finding_names[finding],
	    about);
	buffer_escape(&c->out, text_of(line), "");
	buffer_add_string(&c->out, "\n");
}

/* "good" is known only after the findings, so it follows them. */
static int
print(struct check *c)
{
	if (c->args->is_json) {
		json_close(&c->out, ']');
		json_bool(&c->out, "good", !c->is_wrong);
		json_close(&c->out, '}');
		buffer_add_string(&c->out, "\n");
	}
	return output_write(&c->out);
}

static enum status
run_on(struct check *c)
{
	const struct log_check_options options = {
		.is_full = c->is_full,
		.busy_ms = c->args->busy_ms,
		.expected = c->expected,
		.n_expected = c->n_expected,
	};

	if (c->args->is_json) {
		json_open(&c->out, NULL, '{');
		json_open(&c->out, "findings", '[');
	}
	log_check(c->args->db, &options, on_finding, c);
	if (print(c) != 0 || c->is_wrong)
		return STATUS_FAILED;
	return STATUS_OK;
}

static enum status
run(struct args *a)
{
	struct check c = { .args = a };
	enum status status;

	if (args_read(a, &c, 0) != 0)
		return a->status;
	status = args_need_file(a);
	if (status == STATUS_OK)
		status = run_on(&c);
	buffer_free(&c.out);
	return status;
}

const struct command check_command = {
	.name = "check",
	.usage =
	    "Usage: rowcast check [OPTION]...\n"
	    "Examine a log: its file, folder, schema, identity, ids,\n"
	    "triggers and pages.  To try the triggers, it inserts an event\n"
	    "and undoes that.  Prints one line for each finding; the exit\n"
	    "status is 1 if something is wrong.  Run it as the web server's\n"
	    "user: it checks the folder with the rights of its own user.\n\n",
	.notes = "\nWith --json, prints {\"findings\":[…],\"good\":true}.\n",
	.options = table,
	.run = run,
};
