#ifndef ROWCAST_OPTIONS_H
#define ROWCAST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Options of a program, from its command line and its environment.  One table
 * describes each option completely: parsing, error messages and --help follow
 * from it.
 *
 * The command line overrides the environment, and the environment overrides
 * the default.  An environment variable that is empty counts as not set.  Long
 * options must be written in full, so that a new option never changes the
 * meaning of a command line that works today.
 */

#define OPTIONS_WHY_MAX 512

/* All but OPTIONS_OK end the program; their values are its exit status. */
enum options_result {
	OPTIONS_OK = -1,
	OPTIONS_SHOWN = 0, /* --help or --version: written to standard output */
	OPTIONS_FAILED = 1, /* could not be written; why holds the reason */
	OPTIONS_BAD = 2,    /* wrong usage; why names the option or variable */
};

enum option_kind {
	OPTION_KIND_TEXT,   /* const char *; not empty */
	OPTION_KIND_LOG,    /* the same; must be given */
	OPTION_KIND_SECRET, /* the same, printable ASCII without spaces; error
	                       messages do not repeat it */
	OPTION_KIND_NUMBER, /* any integer type; a decimal number */
	OPTION_KIND_OCTAL,  /* any integer type; an octal number */
	OPTION_KIND_SPAN,   /* int64_t, in ms; a time span such as 90s or 7d */
	OPTION_KIND_FLAG,   /* bool; "1" or "0" in the environment */
	OPTION_KIND_OTHER,  /* read() stores it; each repetition calls it again,
	                       and a list in the environment is one call */
};

/*
 * One option.  A table of them ends with an entry that is all zero.
 *   name      without "--"; NULL if only the environment may set it
 *   letter    the short form, or NULL
 *   variable  in the environment; NULL if only the command line may set it
 *   argument  the name of the value in --help; NULL for a flag
 *   preset    the default, written as a user would; NULL leaves the field as
 *             the caller has set it
 *   help      what --help says of it; the default is added
 *   min, max  bounds of a number before it is multiplied by scale
 *   read      for OPTION_KIND_OTHER: stores value into the field and returns
 *             OPTIONS_OK, or returns value_refuse()
 */
struct option {
	const char *name;
	const char *letter;
	const char *variable;
	const char *argument;
	const char *preset;
	const char *help;
	enum option_kind kind;
	size_t offset;
	size_t size;
	int64_t min;
	int64_t max;
	int64_t scale;
	enum options_result (*read)(void *field, const char *value, char *why);
};

/* The rest of an initialiser, from kind on. */
#define OPTION_FIELD(type, field) \
	offsetof(type, field), sizeof(((type *)NULL)->field)
#define OPTION_NUMBER(type, field, min, max, scale) \
	OPTION_KIND_NUMBER, OPTION_FIELD(type, field), min, max, scale, NULL
#define OPTION_OCTAL(type, field, max) \
	OPTION_KIND_OCTAL, OPTION_FIELD(type, field), 0, max, 1, NULL
#define OPTION_OTHER(type, field, read) \
	OPTION_KIND_OTHER, OPTION_FIELD(type, field), 0, 0, 0, read
#define OPTION_PLAIN(kind, type, field) \
	OPTION_KIND_##kind, OPTION_FIELD(type, field), 0, 0, 0, NULL
#define OPTION_END           \
	{                    \
		.name = NULL \
	}

/*
 * The options of a program, or of one of its commands.
 *   command       as a user types it, for messages and --version
 *   usage, notes  what --help prints before and after the list
 *   config        the struct whose fields the table names
 *   common        options that several commands share, or NULL
 *   max_operands  arguments that are not options; -1 for any number
 *   stops_early   the first operand ends the options
 *   later         tables of the options that may follow that operand, NULL at
 *                 the end, for error messages; or NULL
 *   given         private: bit n is set once table[n] has a value
 */
struct options {
	const char *command;
	const char *usage;
	const char *notes;
	const struct option *table;
	void *config;
	struct options *common;
	int max_operands;
	bool stops_early;
	const struct option *const *later;
	uint64_t given;
};

/*
 * Read the command line.
 *   shape    argv[0] is skipped; on OPTIONS_OK, argv[1..*argc) holds the
 *            operands in their order.  argv[*argc] is NULL before and after.
 *   owns     config borrows from argv
 */
enum options_result options_arguments(struct options *o, int *argc, char **argv,
    char why[OPTIONS_WHY_MAX]);

/*
 * Take all options that are not given yet from the environment, else set their
 * default.
 *   shape    vars is an environment: "NAME=value" strings, NULL at the end
 *   returns  OPTIONS_OK or OPTIONS_BAD
 *   owns     config borrows from vars
 */
enum options_result options_environment(struct options *o,
    const char *const *vars, char why[OPTIONS_WHY_MAX]);

/*
 * Both, for a program that a web server may start: where vars holds
 * GATEWAY_INTERFACE, the command line is ignored, since a web server may pass
 * there what a client wrote after '?'.
 *   source   RFC 3875, 4.4 "The Script Command-Line"
 */
enum options_result options_read(struct options *o, int argc, char **argv,
    const char *const *vars, char why[OPTIONS_WHY_MAX]);

#endif
