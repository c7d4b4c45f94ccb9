/*
 * rowcast: manage a log from the command line.  The table of commands, and the
 * choice of one.
 */
#include <signal.h>
#include <string.h>

#include "lib/descriptor.h"
#include "lib/guess.h"
#include "lib/warn.h"
#include "args.h"

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

static const char usage[] =
    "Usage: rowcast [--db FILE] COMMAND [OPTION]... [OPERAND]...\n"
    "Publish to, follow, copy, prune and check an event log.\n"
    "\n"
    "  init            create a log\n"
    "  publish         append one event\n"
    "  tail            print events as they arrive\n"
    "  export          write events as lines of JSON\n"
    "  import          append events from lines of JSON\n"
    "  prune           remove old events\n"
    "  stats           print the size of the log, and how fast it grows\n"
    "  check           examine the log for damage and wrong settings\n"
    "  help [COMMAND]  print this text, or that of a command\n"
    "\n"
    "Options of all commands:\n";

static const char notes[] =
    "\n"
    "The environment may set --db as ROWCAST_DB and --busy-ms as\n"
    "ROWCAST_BUSY_MS.\n"
    "Exit status: 0 for success, 1 for failure, 2 for wrong usage.\n";

/* Read the options of the program; reports errors. */
static enum options_result
read_options(struct args *a)
{
	char why[OPTIONS_WHY_MAX];
	enum options_result result =
	    options_arguments(&a->common, &a->argc, a->argv, why);

	if (result == OPTIONS_FAILED || result == OPTIONS_BAD)
		warn_line("%s", why);
	return result;
}

static enum status
refuse_command(const struct args *a, const char *word)
{
	struct guess g = { .word = text_of(word) };

	for (size_t i = 0; i < N_COMMANDS; i++)
		guess_offer(&g, commands[i]->name);
	if (g.best != NULL)
		return args_refuse(a,
		    "'%.80s' is not a command; did you mean %s?", word, g.best);
	return args_refuse(a,
	    "'%.80s' is not a command; 'rowcast help' lists them", word);
}

/* Run the command that the first operand names.  'help' is --help, and
   'help COMMAND' is 'COMMAND --help'. */
static enum status
run(struct args *a)
{
	char option[] = "--help";

	if (a->argc < 2)
		return args_refuse(a,
		    "no command is given; 'rowcast help' lists them");
	if (strcmp(a->argv[1], "help") == 0) {
		a->argv[1] = a->argc > 2 ? a->argv[2] : option;
		a->argv[2] = a->argc > 2 ? option : NULL;
		a->argc = a->argc > 2 ? 3 : 2;
		if (a->argc == 2)
			return (enum status)read_options(a);
	}
	a->argc--;
	a->argv++;
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i]->name, a->argv[0]) == 0) {
			a->command = commands[i];
			return a->command->run(a);
		}
	return refuse_command(a, a->argv[0]);
}

int
main(int argc, char **argv)
{
	const struct option *later[N_COMMANDS + 1] = { NULL };
	struct args a = { .argc = argc, .argv = argv };
	size_t n = 0;
	enum options_result result;

	a.common = (struct options){
		.command = "rowcast",
		.usage = usage,
		.notes = notes,
		.table = args_common,
		.config = &a,
		.max_operands = -1,
		.stops_early = true,
		.later = later,
	};
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (commands[i]->options != NULL)
			later[n++] = commands[i]->options;
	descriptor_reserve_standard();
	warn_open("rowcast", false);
	/* the parent process may have chosen otherwise for itself */
	(void)signal(SIGPIPE, SIG_DFL);
	result = read_options(&a);
	return result == OPTIONS_OK ? (int)run(&a) : (int)result;
}
