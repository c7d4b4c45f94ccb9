/*
 * Options of a program: values, the command line, the environment, --help.
 *
 * The command line is read first, so that --help works whatever the environment
 * holds; the environment then supplies only what is still missing.
 */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "descriptor.h"
#include "form.h"
#include "guess.h"
#include "value.h"

#define HELP_COLUMNS 79
#define HELP_INDENT 27

/* Options of all programs. */
static const struct option standard[] = {
	{ .name = "help", .help = "print this text" },
	{ .name = "version", .help = "print the version" },
	OPTION_END,
};

/* ---- one option ---- */

/* name is what the user wrote: an option, its letter or a variable. */
static enum options_result
set(struct options *o, const struct option *option, const char *name,
    const char *value, char *why)
{
	char what[OPTIONS_WHY_MAX];

	if (value_set(option, (char *)o->config + option->offset, value,
		what) != OPTIONS_OK)
		return value_refuse(why, "%s: %.400s", name, what);
	o->given |= UINT64_C(1) << (option - o->table);
	return OPTIONS_OK;
}

/* ---- --help and --version ---- */

static bool
is_end(const struct option *o)
{
	return o->name == NULL && o->variable == NULL;
}

/* Print text from column HELP_INDENT on, broken at spaces, and a line feed. */
static void
print_wrapped(const char *text)
{
	size_t room = HELP_COLUMNS - HELP_INDENT, len = strlen(text);

	while (len > room) {
		size_t n = room;

		while (n > 0 && text[n] != ' ')
			n--;
		assert(n > 0);
		(void)printf("%.*s\n%*s", (int)n, text, HELP_INDENT, "");
		text += n + 1;
		len -= n + 1;
	}
	(void)printf("%s\n", text);
}

/* Print "  -t, --topic T", or the variable of an option without a name, and the
   help.  In a program without letters, their column is left out. */
static void
print_rows(const struct option *table, bool has_letters)
{
	for (const struct option *o = table; !is_end(o); o++) {
		bool has_default = o->preset != NULL;
		char left[64], help[400];

		(void)snprintf(left, sizeof(left), "  %s%s%s%s%s%s%s",
		    o->letter != NULL ? "-" : "",
		    o->letter != NULL ? o->letter :
			has_letters   ? "    " :
					"",
		    o->letter != NULL ? ", " : "", o->name != NULL ? "--" : "",
		    o->name != NULL ? o->name : o->variable,
		    o->argument != NULL ? " " : "",
		    o->argument != NULL ? o->argument : "");
		(void)snprintf(help, sizeof(help), "%s%s%s%s", o->help,
		    has_default ? " (default: " : "",
		    has_default ? o->preset : "", has_default ? ")" : "");
		(void)printf("%-*s", HELP_INDENT, left);
		print_wrapped(help);
	}
}

/* Errors of stdio are looked for once, at the end. */
static enum options_result
show(const struct options *o, bool is_help, char *why)
{
	bool is_command = o->common != NULL;

	if (!is_help) {
		/* of a command, the program's name only */
		(void)printf("%.*s %s\n", (int)strcspn(o->command, " "),
		    o->command, ROWCAST_VERSION);
	} else {
		(void)printf("%s", o->usage);
		print_rows(o->table, is_command);
		if (is_command)
			print_rows(o->common->table, true);
		print_rows(standard, is_command);
		(void)printf("%s", o->notes);
	}
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return OPTIONS_SHOWN;
	(void)value_refuse(why, "standard output: %s", descriptor_error(errno));
	return OPTIONS_FAILED;
}

/* ---- the command line ---- */

/*
 * The command line while it is read.
 *   at    the next word
 *   kept  operands that have been moved to argv[1..kept]
 */
struct words {
	int argc;
	char **argv;
	int at;
	int kept;
};

/* Find an option by its name or letter. */
static const struct option *
find_in(const struct option *table, bool is_long, const char *name, size_t len)
{
	for (const struct option *p = table; !is_end(p); p++) {
		const char *own = is_long ? p->name : p->letter;

		if (own != NULL && strlen(own) == len &&
		    memcmp(own, name, len) == 0)
			return p;
	}
	return NULL;
}

/* The same in the common options, too.  Sets *o to the options with it. */
static const struct option *
find(struct options **o, bool is_long, const char *name, size_t len)
{
	const struct option *found = NULL;

	for (; *o != NULL; *o = (*o)->common)
		if ((found = find_in((*o)->table, is_long, name, len)) != NULL)
			break;
	return found;
}

static bool
is_later(const struct options *o, const char *word, size_t len)
{
	size_t dashes = word[1] == '-' ? 2 : 1;

	for (const struct option *const *t = o->later; t != NULL && *t != NULL;
	     t++)
		if (find_in(*t, dashes == 2, word + dashes, len - dashes) !=
		    NULL)
			return true;
	return false;
}

static void
offer(struct guess *g, const struct option *table)
{
	for (const struct option *o = table; !is_end(o); o++)
		if (o->name != NULL)
			guess_offer(g, o->name);
}

/* Omit the value behind '=', which may be a secret. */
static enum options_result
refuse_unknown(const struct options *o, const char *name, char *why)
{
	size_t all = strcspn(name, "=");
	int len = all < 80 ? (int)all : 80;
	struct guess g = { .best = NULL };

	if (all > 2 && name[1] == '-') {
		g.word = (struct text){ name + 2, all - 2 };
		for (const struct options *p = o; p != NULL; p = p->common)
			offer(&g, p->table);
		offer(&g, standard);
	}
	if (is_later(o, name, all))
		return value_refuse(why,
		    "%.*s: write it after the command: '%s COMMAND %.*s'", len,
		    name, o->command, len, name);
	if (g.best != NULL)
		return value_refuse(why,
		    "%.*s: unknown option; did you mean --%s?", len, name,
		    g.best);
	return value_refuse(why, "%.*s: unknown option; see '%s --help'", len,
	    name, o->command);
}

/* Set an option.  If value is NULL, the next word is its value. */
static enum options_result
take(struct options *o, const struct option *option, struct words *w,
    const char *name, const char *value, char *why)
{
	if (option->argument == NULL && value != NULL)
		return value_refuse(why, "%s: takes no value", name);
	if (option->argument == NULL)
		value = "1";
	else if (value == NULL && w->at < w->argc)
		value = w->argv[w->at++];
	if (value == NULL)
		return value_refuse(why, "%s: needs a value: %s %s", name, name,
		    option->argument);
	return set(o, option, name, value, why);
}

static enum options_result
take_long(struct options *o, struct words *w, const char *word, char *why)
{
	struct options *owner = o;
	size_t len = strcspn(word, "=");
	const struct option *option;
	char name[64];

	if (strcmp(word, "--help") == 0 || strcmp(word, "--version") == 0)
		return show(o, word[2] == 'h', why);
	option = find(&owner, true, word + 2, len - 2);
	if (option == NULL)
		return refuse_unknown(o, word, why);
	(void)snprintf(name, sizeof(name), "--%s", option->name);
	return take(owner, option, w, name,
	    word[len] == '=' ? word + len + 1 : NULL, why);
}

/* Letters may share a word, and the last of them may be followed by its
   value: -n5.  But "-topic" is a mistake for "--topic", not "-t opic". */
static enum options_result
take_letters(struct options *o, struct words *w, const char *word, char *why)
{
	enum options_result result = OPTIONS_OK;
	struct options *any = o;
	size_t len = strcspn(word, "=");

	if (find(&any, true, word + 1, len - 1) != NULL)
		return value_refuse(why, "%.*s: write -%.*s", (int)len, word,
		    (int)len, word);

	for (size_t i = 1; word[i] != '\0' && result == OPTIONS_OK; i++) {
		const char name[3] = { '-', word[i], '\0' };
		struct options *owner = o;
		const struct option *option = find(&owner, false, word + i, 1);
		bool has_value;

		if (option == NULL)
			return refuse_unknown(o, i == 1 ? word : name, why);
		has_value = option->argument != NULL && word[i + 1] != '\0';
		result = take(owner, option, w, name,
		    has_value ? word + i + 1 : NULL, why);
		if (has_value)
			break;
	}
	return result;
}

enum options_result
options_arguments(struct options *o, int *argc, char **argv,
    char why[OPTIONS_WHY_MAX])
{
	struct words w = { .argc = *argc, .argv = argv, .at = 1 };
	enum options_result result = OPTIONS_OK;
	struct options *owner = o;
	bool is_over = false;

	while (w.at < w.argc && result == OPTIONS_OK) {
		char *word = argv[w.at++];

		if (is_over || word[0] != '-' || word[1] == '\0') {
			argv[++w.kept] = word;
			is_over = is_over || o->stops_early;
		} else if (strcmp(word, "--") == 0) {
			is_over = true;
		} else if (word[1] == '-') {
			result = take_long(o, &w, word, why);
		} else {
			result = take_letters(o, &w, word, why);
		}
	}
	if (result != OPTIONS_OK)
		return result;
	*argc = w.kept + 1;
	if (*argc < w.argc) /* else it is NULL; argv may even be empty */
		argv[*argc] = NULL;
	if (o->max_operands < 0 || w.kept <= o->max_operands)
		return OPTIONS_OK;
	return value_refuse(why,
	    "'%.80s': unexpected argument%s; see '%s --help'",
	    argv[o->max_operands + 1],
	    find(&owner, true, "db", 2) != NULL ? ": --db names the log" : "",
	    o->command);
}

/* ---- the environment ---- */

static enum options_result
set_missing(struct options *o, const struct option *option,
    const char *const *vars, char *why)
{
	const char *value =
	    option->variable != NULL ? form_var(vars, option->variable) : NULL;

	if (value != NULL && value[0] != '\0')
		return set(o, option, option->variable, value, why);
	if (option->preset != NULL)
		return set(o, option, "default", option->preset, why);
	if (option->kind != OPTION_KIND_LOG)
		return OPTIONS_OK;
	if (form_var(vars, "GATEWAY_INTERFACE") != NULL)
		return value_refuse(why,
		    "no log is named: set %s to its path in the web server's"
		    " configuration",
		    option->variable);
	return value_refuse(why, "no log is named: give --%s %s or set %s",
	    option->name, option->argument, option->variable);
}

enum options_result
options_environment(struct options *o, const char *const *vars,
    char why[OPTIONS_WHY_MAX])
{
	enum options_result result = OPTIONS_OK;

	for (const struct option *p = o->table;
	     !is_end(p) && result == OPTIONS_OK; p++)
		if ((o->given >> (p - o->table) & 1) == 0)
			result = set_missing(o, p, vars, why);
	return result;
}

enum options_result
options_read(struct options *o, int argc, char **argv, const char *const *vars,
    char why[OPTIONS_WHY_MAX])
{
	enum options_result result = OPTIONS_OK;

	if (form_var(vars, "GATEWAY_INTERFACE") == NULL)
		result = options_arguments(o, &argc, argv, why);
	return result == OPTIONS_OK ? options_environment(o, vars, why) :
				      result;
}
