/*
 * rowcast: look after a log from the command line.  The table of commands, and
 * which of them is meant.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/warn.h"
#include "command.h"

static const struct command *const commands[] = {
	&init_command,
	&publish_command,
	&tail_command,
	&export_command,
	&import_command,
	&prune_command,
	&stats_command,
	&check_command,
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char help_head[] =
    "Usage: rowcast [--db FILE] COMMAND [OPTION]... [ARGUMENT]...\n"
    "Look after an event log: publish, follow, copy, prune and check it.\n"
    "\n";

static const char help_tail[] =
    "  help [COMMAND]  this text, or that of a command\n"
    "\n"
    "Options of all commands:\n"
    "  --db FILE       the log; default: ROWCAST_DB in the environment\n"
    "  --busy-ms N     wait so long for other writers, default 5000\n"
    "                  (ROWCAST_BUSY_MS)\n"
    "  --json          output for programs\n"
    "  --help\n"
    "  --version\n"
    "\n"
    "Exit status: 0 it worked, 1 it did not, 2 it was asked for wrongly.\n";

static const struct option longs[] = {
	ARGS_COMMON,
	{ NULL, 0, NULL, 0 },
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static enum status
say(int printed)
{
	if (printed >= 0 && fflush(stdout) == 0)
		return STATUS_OK;
	warn_line("standard output: %s", strerror(errno));
	return STATUS_FAILED;
}

static enum status
unknown_command(const char *name)
{
	warn_line("'%.80s' is no command; 'rowcast help' lists them", name);
	return STATUS_USAGE;
}

static enum status
help(void)
{
	(void)printf("%s", help_head); /* say() looks at the last one */
	for (size_t i = 0; i < N_COMMANDS; i++)
		(void)printf("  %-15s %s\n", commands[i]->name,
		    commands[i]->summary);
	return say(printf("\n%s", help_tail));
}

static enum status
help_of(const char *name)
{
	const struct command *command;

	if (name == NULL)
		return help();
	command = find_command(name);
	return command != NULL ? say(printf("%s", command->help)) :
				 unknown_command(name);
}

/* The command is the first argument that is no option of the program's. */
static enum status
run(struct args *a)
{
	const struct command *command;
	const char *name = a->argv[a->at];

	if (name == NULL) {
		warn_line("which command?  'rowcast help' lists them");
		return STATUS_USAGE;
	}
	if (strcmp(name, "help") == 0)
		return help_of(a->argv[a->at + 1]);
	command = find_command(name);
	if (command == NULL)
		return unknown_command(name);
	a->command = command->name;
	a->help = command->help;
	a->argc -= a->at;
	a->argv += a->at;
	optind = 0; /* glibc: begin anew, with other options */
	return command->run(a);
}

int
main(int argc, char **argv)
{
	struct args a = { .command = "rowcast", .argc = argc, .argv = argv };
	int id;

	warn_open("rowcast", false);
	/* whoever started this may have chosen otherwise for itself */
	(void)signal(SIGPIPE, SIG_DFL);
	if (args_environment(&a) != 0)
		return (int)a.status;
	while ((id = args_next(&a, "+", longs)) != ARGS_END) {
		if (id == ARGS_HELP)
			return (int)help();
		if (id == ARGS_STOP)
			return (int)a.status;
	}
	return (int)run(&a);
}
