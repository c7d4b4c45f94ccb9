#ifndef ROWCAST_TEST_CONFIGS_H
#define ROWCAST_TEST_CONFIGS_H

#include "tap.h"

#include "lib/options.h"

/*
 * Tables of the options of a program, to be read from words and variables.
 */

#define CONFIGS_WORDS 16

typedef int config_reader(int argc, char **argv, const char *const *vars,
    char *why);

/* A number: bounds, scale, default (-1: not a fixed one) and its field. */
struct bounds {
	const char *option;
	const char *variable;
	int64_t min, max, scale, preset;
	const void *field;
};

static char configs_why[OPTIONS_WHY_MAX];

static inline int
configs_split(char *text, const char **out)
{
	char *rest;
	int n = 0;

	for (char *w = strtok_r(text, " ", &rest);
	     w != NULL && n < CONFIGS_WORDS; w = strtok_r(NULL, " ", &rest))
		out[n++] = w;
	out[n] = NULL;
	return n;
}

/* Read words and variables, each separated by spaces: is all well? */
static inline bool
reads(config_reader *read_config, const char *words, const char *variables)
{
	static char word_copy[512], var_copy[512];
	const char *argv[CONFIGS_WORDS + 2] = { "program" };
	const char *vars[CONFIGS_WORDS + 1];
	int argc;

	(void)snprintf(word_copy, sizeof(word_copy), "%s", words);
	(void)snprintf(var_copy, sizeof(var_copy), "%s", variables);
	argc = 1 + configs_split(word_copy, argv + 1);
	(void)configs_split(var_copy, vars);
	return read_config(argc, (char **)(uintptr_t)argv, vars, configs_why) ==
	    (int)OPTIONS_OK;
}

static inline int64_t
configs_field(const struct bounds *b, size_t size)
{
	int64_t n = 0;
	int32_t n32;

	if (size == sizeof(n)) {
		memcpy(&n, b->field, size);
		return n;
	}
	memcpy(&n32, b->field, sizeof(n32));
	return n32;
}

/* Is this value taken, by the command line and by the environment? */
static inline bool
configs_take(config_reader *read_config, const struct bounds *b, int64_t n,
    size_t size)
{
	char words[128], vars[128];

	(void)snprintf(words, sizeof(words), "--%s %" PRId64, b->option, n);
	(void)snprintf(vars, sizeof(vars), "ROWCAST_DB=d %s=%" PRId64,
	    b->variable, n);
	return reads(read_config, words, "ROWCAST_DB=d") &&
	    configs_field(b, size) == n * b->scale &&
	    reads(read_config, "", vars) &&
	    configs_field(b, size) == n * b->scale;
}

static inline void
check_bounds(config_reader *read_config, const struct bounds *all, size_t n,
    size_t size)
{
	for (const struct bounds *b = all; b < all + n; b++) {
		char wanted[128];

		check(configs_take(read_config, b, b->min, size) &&
			configs_take(read_config, b, b->max, size),
		    "--%s: from %" PRId64 " to %" PRId64, b->option, b->min,
		    b->max);
		(void)snprintf(wanted, sizeof(wanted),
		    ": '%" PRId64 "' is not a whole number from %" PRId64
		    " to %" PRId64,
		    b->max + 1, b->min, b->max);
		check(!configs_take(read_config, b, b->max + 1, size) &&
			strstr(configs_why, wanted) != NULL,
		    "--%s: not %" PRId64, b->option, b->max + 1);
		check(!configs_take(read_config, b, b->min - 1, size),
		    "--%s: not %" PRId64, b->option, b->min - 1);
		if (b->preset >= 0)
			check(reads(read_config, "", "ROWCAST_DB=d") &&
				configs_field(b, size) == b->preset * b->scale,
			    "--%s: %" PRId64 " by default", b->option,
			    b->preset);
	}
}

#endif
