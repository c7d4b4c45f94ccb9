/*
 * Options of a program: values, the command line, the environment, --help.
 *
 * A value is compared with the shape of its kind before it is converted, since
 * strtoll() accepts signs and white space.  The command line is read first, so
 * that --help works whatever the environment holds; the environment then
 * supplies only what is still missing.
 */
#include "options.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form.h"

#define SPAN_MAX_S ((int64_t)100 * 366 * 86400)
#define HELP_COLUMNS 79

/* ---- one value ---- */

/* Set why; returns OPTIONS_BAD, so that callers can return what it returns. */
__attribute__((format(printf, 2, 3))) static enum options_result
refuse(char why[OPTIONS_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(why, OPTIONS_WHY_MAX, format, args) < 0)
		why[0] = '\0';
	va_end(args);
	return OPTIONS_BAD;
}

/* Digits only, up to the end or to one unit of a time span. */
static int
read_digits(const char *value, int base, const char **end, int64_t *n)
{
	char *stop;

	if (!isdigit((unsigned char)value[0]))
		return -1;
	errno = 0;
	*n = strtoll(value, &stop, base);
	*end = stop;
	return errno == 0 ? 0 : -1;
}

static int
read_span(const char *value, int64_t *ms)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = { 1, 60, 3600, 86400, 604800 };
	const char *end, *unit;
	int64_t n;

	if (read_digits(value, 10, &end, &n) != 0 || end[0] == '\0' ||
	    end[1] != '\0' || (unit = strchr(units, end[0])) == NULL || n < 1 ||
	    n > SPAN_MAX_S / seconds[unit - units])
		return -1;
	*ms = n * seconds[unit - units] * 1000;
	return 0;
}

static void
store_number(void *field, size_t size, int64_t n)
{
	int32_t n32 = (int32_t)n;
	int16_t n16 = (int16_t)n;
	const void *from = &n;

	assert(size == sizeof(n) || size == sizeof(n32) || size == sizeof(n16));
	if (size == sizeof(n32))
		from = &n32;
	else if (size == sizeof(n16))
		from = &n16;
	memcpy(field, from, size);
}

static enum options_result
set_number(const struct option *o, void *field, const char *value, char *why)
{
	bool is_octal = o->kind == OPTION_KIND_OCTAL;
	int64_t n, max = o->max;
	const char *end;

	/* on 32-bit machines a field may hold less than the table allows */
	if (o->size <= sizeof(int32_t) && max > INT32_MAX / o->scale)
		max = INT32_MAX / o->scale;
	if (read_digits(value, is_octal ? 8 : 10, &end, &n) == 0 &&
	    *end == '\0' && n >= o->min && n <= max) {
		store_number(field, o->size, n * o->scale);
		return OPTIONS_OK;
	}
	if (max == INT64_MAX)
		return refuse(why, "'%.60s' is not a whole number from %lld on",
		    value, (long long)o->min);
	return refuse(why,
	    is_octal ? "'%.60s' is not an octal number from %llo to %llo" :
		       "'%.60s' is not a whole number from %lld to %lld",
	    value, (long long)o->min, (long long)max);
}

static enum options_result
set_text(const struct option *o, void *field, const char *value, char *why)
{
	if (value[0] == '\0')
		return refuse(why, "'' is empty");
	for (const char *c = value; o->kind == OPTION_KIND_SECRET && *c != '\0';
	     c++)
		if (*c <= ' ' || *c > '~')
			return refuse(why,
			    "use printable ASCII without spaces");
	*(const char **)field = value;
	return OPTIONS_OK;
}

static enum options_result
set_field(const struct option *o, void *field, const char *value, char *why)
{
	switch (o->kind) {
	case OPTION_KIND_TEXT:
	case OPTION_KIND_LOG:
	case OPTION_KIND_SECRET:
		return set_text(o, field, value, why);
	case OPTION_KIND_NUMBER:
	case OPTION_KIND_OCTAL:
		return set_number(o, field, value, why);
	case OPTION_KIND_SPAN:
		if (read_span(value, field) == 0)
			return OPTIONS_OK;
		return refuse(why,
		    "'%.60s' is not a time span: write 90s, 30m, 12h, 7d or 2w",
		    value);
	case OPTION_KIND_FLAG:
		*(bool *)field = value[0] == '1';
		if (strcmp(value, "1") == 0 || strcmp(value, "0") == 0)
			return OPTIONS_OK;
		return refuse(why, "'%.60s' is neither 0 nor 1", value);
	case OPTION_KIND_OTHER:
		break;
	}
	return o->read(field, value, why) == 0 ? OPTIONS_OK : OPTIONS_BAD;
}

/* name is that of the option or the variable, for the user to find it. */
static enum options_result
set(struct options *o, const struct option *option, const char *name,
    const char *value, char *why)
{
	char what[OPTIONS_WHY_MAX];

	if (set_field(option, (char *)o->config + option->offset, value,
		what) != OPTIONS_OK)
		return refuse(why, "%s: %.400s", name, what);
	o->given |= UINT64_C(1) << (option - o->table);
	return OPTIONS_OK;
}

/* ---- --help and --version ---- */

static bool
is_end(const struct option *o)
{
	return o->name == NULL && o->variable == NULL;
}

/* "-t, --topic T", or the variable of an option without a name. */
static int
left_text(const struct option *o, bool has_letters, char out[64])
{
	char letter[5] = { '-', o->letter, ',', ' ', '\0' };

	return snprintf(out, 64, "%s%s%s%s%s",
	    o->letter != 0  ? letter :
		has_letters ? "    " :
			      "",
	    o->name != NULL ? "--" : "",
	    o->name != NULL ? o->name : o->variable,
	    o->argument != NULL ? " " : "",
	    o->argument != NULL ? o->argument : "");
}

/* Print text from this column on, broken at spaces; it ends the line. */
static void
print_wrapped(const char *text, int indent)
{
	size_t room = (size_t)(HELP_COLUMNS - indent), len = strlen(text);

	while (len > room) {
		size_t n = room;

		while (n > 0 && text[n] != ' ')
			n--;
		assert(n > 0);
		(void)printf("%.*s\n%*s", (int)n, text, indent, "");
		text += n + 1;
		len -= n + 1;
	}
	(void)printf("%s\n", text);
}

static void
print_rows(const struct option *table, bool has_letters, int width)
{
	char left[64], help[400];

	for (const struct option *o = table; !is_end(o); o++) {
		bool has_default = o->preset != NULL;

		(void)left_text(o, has_letters, left);
		(void)snprintf(help, sizeof(help), "%s%s%s%s", o->help,
		    has_default ? " (default: " : "",
		    has_default ? o->preset : "", has_default ? ")" : "");
		(void)printf("  %-*s  ", width, left);
		print_wrapped(help, width + 4);
	}
}

/* The options of a program end with those that all have, the options of a
   command with one line that names them. */
static void
print_list(const struct options *options)
{
	static const struct option standard[] = {
		{ .name = "help", .help = "print this text" },
		{ .name = "version", .help = "print the version" },
		OPTION_END,
	};
	char left[64];
	bool has_letters = false;
	int width = 0;

	for (const struct option *o = options->table; !is_end(o); o++)
		has_letters = has_letters || o->letter != 0;
	for (const struct option *o = options->table; !is_end(o); o++) {
		int len = left_text(o, has_letters, left);

		width = len > width ? len : width;
	}
	print_rows(options->table, has_letters, width);
	if (options->common == NULL) {
		print_rows(standard, has_letters, width);
		return;
	}
	(void)printf("%*s", has_letters ? 6 : 2, "");
	for (const struct option *o = options->common->table; !is_end(o); o++) {
		(void)left_text(o, false, left);
		(void)printf("%s, ", left);
	}
	(void)printf("--help, --version\n");
}

/* Errors of stdio are looked for once, at the end. */
static enum options_result
show(const struct options *o, bool is_help, char *why)
{
	if (!is_help) {
		/* of a command, the program's name only */
		(void)printf("%.*s %s\n", (int)strcspn(o->command, " "),
		    o->command, ROWCAST_VERSION);
	} else {
		(void)printf("%s", o->usage);
		print_list(o);
		(void)printf("%s", o->notes);
	}
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return OPTIONS_SHOWN;
	(void)refuse(why, "standard output: %s", strerror(errno));
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

static const struct option *
find_name(struct options **o, const char *name, size_t len)
{
	for (; *o != NULL; *o = (*o)->common)
		for (const struct option *p = (*o)->table; !is_end(p); p++)
			if (p->name != NULL && strlen(p->name) == len &&
			    memcmp(p->name, name, len) == 0)
				return p;
	return NULL;
}

static const struct option *
find_letter(struct options **o, char letter)
{
	for (; *o != NULL; *o = (*o)->common)
		for (const struct option *p = (*o)->table; !is_end(p); p++)
			if (p->letter == letter)
				return p;
	return NULL;
}

/* Without what stands behind '=': it may be a secret. */
static enum options_result
refuse_unknown(const struct options *o, const char *name, char *why)
{
	size_t len = strcspn(name, "=");

	return refuse(why, "%.*s: unknown option; see '%s --help'",
	    (int)(len < 80 ? len : 80), name, o->command);
}

/* Set an option; value is NULL if the same word holds none. */
static enum options_result
take(struct options *o, const struct option *option, struct words *w,
    const char *name, const char *value, char *why)
{
	if (option->argument == NULL && value != NULL)
		return refuse(why, "%s: takes no value", name);
	if (option->argument == NULL)
		value = "1";
	else if (value == NULL && w->at < w->argc)
		value = w->argv[w->at++];
	if (value == NULL)
		return refuse(why, "%s: needs a value: %s %s", name, name,
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
	option = find_name(&owner, word + 2, len - 2);
	if (option == NULL)
		return refuse_unknown(o, word, why);
	(void)snprintf(name, sizeof(name), "--%s", option->name);
	return take(owner, option, w, name,
	    word[len] == '=' ? word + len + 1 : NULL, why);
}

/* Letters may share a word, and the last of them may be followed by its
   value: -n5. */
static enum options_result
take_letters(struct options *o, struct words *w, const char *word, char *why)
{
	enum options_result result = OPTIONS_OK;

	for (size_t i = 1; word[i] != '\0' && result == OPTIONS_OK; i++) {
		const char name[3] = { '-', word[i], '\0' };
		struct options *owner = o;
		const struct option *option = find_letter(&owner, word[i]);
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
	if (o->max_operands < 0 || w.kept <= o->max_operands)
		return OPTIONS_OK;
	return refuse(why, "'%.80s': unexpected argument; see '%s --help'",
	    argv[o->max_operands + 1], o->command);
}

/* ---- the environment ---- */

static bool
is_given(const struct options *o, const struct option *option)
{
	return (o->given >> (option - o->table) & 1) != 0;
}

enum options_result
options_environment(struct options *o, const char *const *vars,
    char why[OPTIONS_WHY_MAX])
{
	for (const struct option *p = o->table; !is_end(p); p++) {
		const char *value =
		    p->variable != NULL ? form_var(vars, p->variable) : NULL;

		if (is_given(o, p))
			continue;
		if (value != NULL && value[0] != '\0') {
			if (set(o, p, p->variable, value, why) != OPTIONS_OK)
				return OPTIONS_BAD;
		} else if (p->preset != NULL) {
			/* a table whose own default is wrong is a bug */
			if (set(o, p, "default", p->preset, why) != OPTIONS_OK)
				abort();
		}
	}
	return OPTIONS_OK;
}

static enum options_result
check_log(const struct options *o, bool is_cgi, char *why)
{
	for (const struct option *p = o->table; !is_end(p); p++)
		if (p->kind == OPTION_KIND_LOG && !is_given(o, p))
			return is_cgi ?
			    refuse(why,
				"no log is named: set %s to its path in the"
				" web server's configuration",
				p->variable) :
			    refuse(why,
				"no log is named: give --%s %s or set %s",
				p->name, p->argument, p->variable);
	return OPTIONS_OK;
}

enum options_result
options_read(struct options *o, int argc, char **argv, const char *const *vars,
    char why[OPTIONS_WHY_MAX])
{
	bool is_cgi = form_var(vars, "GATEWAY_INTERFACE") != NULL;
	enum options_result result = OPTIONS_OK;

	if (!is_cgi)
		result = options_arguments(o, &argc, argv, why);
	if (result == OPTIONS_OK)
		result = options_environment(o, vars, why);
	return result == OPTIONS_OK ? check_log(o, is_cgi, why) : result;
}
