/*
 * rowcast check: is the log sound?
 */
#include <stdio.h>

#include "lib/log/admin.h"
#include "command.h"
#include "escape.h"
#include "json.h"
#include "output.h"

static const char help[] =
    "Usage: rowcast check [OPTION]...\n"
    "Look at a log: its file, its folder, its schema, its identity, its ids, its\n"
    "pages.  One line for each finding; the exit status is 1 if something is\n"
    "wrong.  To be run as the user that the web server runs as: folders are\n"
    "looked at with that user's rights.\n"
    "\n"
    "      --full            compare indexes with tables as well\n"
    "      --json            {\"findings\":[…],\"good\":true}\n"
    "      --db FILE, --busy-ms N, --help, --version\n";

enum { OPTION_FULL = ARGS_OWN };

static const struct option longs[] = {
	ARGS_COMMON,
	{ "full", no_argument, NULL, OPTION_FULL },
	{ NULL, 0, NULL, 0 },
};

struct check {
	struct args *args;
	struct buffer out; /* lines, or the members of an array */
	bool is_wrong;
};

static const char *const finding_names[] = {
	[LOG_FINDING_GOOD] = "good",
	[LOG_FINDING_WARNING] = "warning",
	[LOG_FINDING_WRONG] = "WRONG",
};

static const char *const json_names[] = {
	[LOG_FINDING_GOOD] = "good",
	[LOG_FINDING_WARNING] = "warning",
	[LOG_FINDING_WRONG] = "wrong",
};

static void
on_finding(void *cookie, enum log_finding finding, const char *about,
    const char *line)
{
	struct check *c = cookie;
	char left[48];

	c->is_wrong = c->is_wrong || finding == LOG_FINDING_WRONG;
	if (c->args->is_json) {
		json_open(&c->out, NULL, '{');
		json_string(&c->out, "finding", json_names[finding]);
		json_string(&c->out, "about", about);
		json_string(&c->out, "text", line);
		json_close(&c->out, '}');
		return;
	}
	(void)snprintf(left, sizeof(left), "%-8s %s: ", finding_names[finding],
	    about);
	buffer_add_string(&c->out, left);
	escape_text(&c->out, text_of(line), "");
	buffer_add_string(&c->out, "\n");
}

/* The array comes first: whether all is well is known behind it. */
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
run_on(struct check *c, bool is_full)
{
	if (c->args->is_json) {
		json_open(&c->out, NULL, '{');
		json_open(&c->out, "findings", '[');
	}
	log_check(c->args->db, is_full, c->args->busy_ms, on_finding, c);
	if (print(c) != 0 || c->is_wrong)
		return STATUS_FAILED;
	return STATUS_OK;
}

static enum status
run(struct args *a)
{
	struct check c = { .args = a };
	enum status status;
	bool is_full = false;
	int id;

	while ((id = args_next(a, "", longs)) != ARGS_END) {
		if (id == ARGS_STOP)
			return a->status;
		is_full = true;
	}
	if (args_none(a) != 0)
		return a->status;
	status = args_need_file(a);
	if (status == STATUS_OK)
		status = run_on(&c, is_full);
	buffer_free(&c.out);
	return status;
}

const struct command check_command = {
	.name = "check",
	.summary = "is the log sound?",
	.help = help,
	.run = run,
};
