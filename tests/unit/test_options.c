/*
 * options: kinds of values, the command line, the environment, and the one
 * line that each mistake is answered with.
 */
#include "tap.h"

#include "lib/options.h"
#include "lib/value.h"

#define WORDS_MAX 8
#define CONFIG struct config

struct config {
	const char *db;
	const char *secret;
	int64_t ms;
	int32_t small;
	int16_t mode;
	int64_t span_ms;
	bool flag;
	char list[64];
};

struct shared {
	int64_t busy;
};

static enum options_result
read_list(void *field, const char *value, char *reason)
{
	char *list = field;

	if (strcmp(value, "bad") == 0)
		return value_refuse(reason, "'%s' is bad", value);
	(void)strncat(list, value, 63 - strlen(list));
	return OPTIONS_OK;
}

static const struct option table[] = {
	{ "db", NULL, "T_DB", "FILE", NULL, "", OPTION_PLAIN(LOG, CONFIG, db) },
	{ NULL, NULL, "T_SECRET", NULL, NULL, "",
	    OPTION_PLAIN(SECRET, CONFIG, secret) },
	{ "wait-s", "w", "T_WAIT_S", "S", "5", "",
	    OPTION_NUMBER(CONFIG, ms, 1, 100, 1000) },
	{ "small", NULL, "T_SMALL", "KB", NULL, "",
	    OPTION_NUMBER(CONFIG, small, 0, 1 << 30, 1024) },
	{ "mode", NULL, "T_MODE", "OCTAL", "0660", "",
	    OPTION_OCTAL(CONFIG, mode, 0777) },
	{ "older", NULL, NULL, "SPAN", NULL, "",
	    OPTION_PLAIN(SPAN, CONFIG, span_ms) },
	{ "flag", "f", "T_FLAG", NULL, NULL, "",
	    OPTION_PLAIN(FLAG, CONFIG, flag) },
	{ "list", "l", "T_LIST", "X", NULL, "",
	    OPTION_OTHER(CONFIG, list, read_list) },
	OPTION_END,
};

static const struct option shared_table[] = {
	{ "busy", "b", "T_BUSY", "N", "9", "",
	    OPTION_NUMBER(struct shared, busy, 0, 99, 1) },
	OPTION_END,
};

static struct config c;
static char why[OPTIONS_WHY_MAX];

/* Read words, separated by spaces ("''" is an empty one), and variables. */
static enum options_result
read_words(const char *words, const char *const *vars)
{
	struct options o = {
		.command = "prog",
		.table = table,
		.config = &c,
	};
	static char copy[512];
	char *argv[WORDS_MAX + 2] = { copy }, *rest;
	int argc = 1;

	c = (struct config){ 0 };
	why[0] = '\0';
	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &rest);
	     w != NULL && argc <= WORDS_MAX; w = strtok_r(NULL, " ", &rest))
		argv[argc++] = strcmp(w, "''") == 0 ? w + 2 : w;
	return options_read(&o, argc, argv, vars, why);
}

/* ---- mistakes ---- */

static void
check_mistakes(void)
{
	static const struct {
		const char *words, *why;
	} rows[] = {
		{ "--db d -xyz", "-xyz: unknown option; see 'prog --help'" },
		{ "--db d -fx", "-x: unknown option; see 'prog --help'" },
		{ "--db d --nope",
		    "--nope: unknown option; see 'prog --help'" },
		{ "--db d --nope=secret",
		    "--nope: unknown option; see 'prog --help'" },
		{ "--db d --wait 5",
		    "--wait: unknown option; did you mean --wait-s?" },
		{ "--db d --dbx=secret",
		    "--dbx: unknown option; did you mean --db?" },
		{ "--hlep", "--hlep: unknown option; did you mean --help?" },
		{ "--db d -h", "-h: unknown option; see 'prog --help'" },
		{ "word",
		    "'word': unexpected argument: --db names the log;"
		    " see 'prog --help'" },
		{ "-- --db",
		    "'--db': unexpected argument: --db names the log;"
		    " see 'prog --help'" },
		{ "-",
		    "'-': unexpected argument: --db names the log;"
		    " see 'prog --help'" },
		{ "--db", "--db: needs a value: --db FILE" },
		{ "--db d -w", "-w: needs a value: -w S" },
		{ "--db ''", "--db: '' is empty" },
		{ "--db=", "--db: '' is empty" },
		{ "--flag=1", "--flag: takes no value" },
		{ "--flag=", "--flag: takes no value" },
		{ "--wait-s 0",
		    "--wait-s: '0' is not a whole number from 1 to 100" },
		{ "-w101", "-w: '101' is not a whole number from 1 to 100" },
		{ "--small 2097152",
		    "--small: '2097152' is not a whole number from 0 to"
		    " 2097151" },
		{ "--mode 8",
		    "--mode: '8' is not an octal number from 0 to 777" },
		{ "--mode 1000",
		    "--mode: '1000' is not an octal number from 0 to 777" },
		{ "--older 7",
		    "--older: '7' is not a time span: write 90s, 30m, 12h, 7d"
		    " or 2w" },
		{ "--list bad", "--list: 'bad' is bad" },
		{ "", "no log is named: give --db FILE or set T_DB" },
	};
	const char *const vars[] = { NULL };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(read_words(rows[i].words, vars) == OPTIONS_BAD &&
			strcmp(why, rows[i].why) == 0,
		    "'%s': %s", rows[i].words, rows[i].why);
		if (strcmp(why, rows[i].why) != 0)
			printf("# but: %s\n", why);
	}
}

static void
check_numbers(void)
{
	static const char *const bad[] = { "''", "+5", "-5", "5x", "x", "0x5",
		"5.5", "1e1", "9223372036854775808", "99999999999999999999" };
	static const char *const bad_spans[] = { "''", "s", "0s", "1", "1S",
		"1ms", "-1s", "1.5h", "1y", "99999999999999999999s",
		"3162240001s", "5229w" };
	static const struct {
		const char *words;
		int64_t ms;
	} spans[] = { { "--older 1s", 1000 }, { "--older 90m", 5400000 },
		{ "--older 12h", 43200000 }, { "--older 7d", 604800000 },
		{ "--older 2w", 1209600000 },
		{ "--older 3162240000s", 3162240000000 } };
	const char *const vars[] = { "T_DB=d", NULL };
	char words[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(words, sizeof(words), "--wait-s %s", bad[i]);
		check(read_words(words, vars) == OPTIONS_BAD,
		    "'%s' is not a number", bad[i]);
	}
	check(read_words("--wait-s 007", vars) == OPTIONS_OK && c.ms == 7000,
	    "007 is 7, and scaled");
	check(read_words("--small 2097151", vars) == OPTIONS_OK &&
		c.small == 2097151 * 1024,
	    "the largest that fits into the field");
	check(read_words("--mode 0750", vars) == OPTIONS_OK && c.mode == 0750,
	    "a mode is octal");
	for (size_t i = 0; i < sizeof(bad_spans) / sizeof(bad_spans[0]); i++) {
		(void)snprintf(words, sizeof(words), "--older %s",
		    bad_spans[i]);
		check(read_words(words, vars) == OPTIONS_BAD,
		    "'%s' is not a time span", bad_spans[i]);
	}
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		check(read_words(spans[i].words, vars) == OPTIONS_OK &&
			c.span_ms == spans[i].ms,
		    "%s", spans[i].words);
}

/* ---- the environment ---- */

static void
check_environment(void)
{
	const char *const none[] = { NULL };
	const char *const all[] = { "T_DB=d", "T_SECRET=s~!", "T_WAIT_S=6",
		"T_SMALL=1", "T_MODE=7", "T_FLAG=1", "T_LIST=a b", "T_X=x",
		NULL };
	const char *const empty[] = { "T_DB=d", "T_SECRET=", "T_WAIT_S=",
		"T_MODE=", "T_FLAG=", "T_LIST=", NULL };
	const char *const cgi[] = { "GATEWAY_INTERFACE=CGI/1.1", "T_WAIT_S=6",
		NULL };
	static const struct {
		const char *var, *why;
	} bad[] = {
		{ "T_SECRET=a b",
		    "T_SECRET: use printable ASCII without spaces" },
		{ "T_WAIT_S=x",
		    "T_WAIT_S: 'x' is not a whole number from 1 to 100" },
		{ "T_FLAG=yes", "T_FLAG: 'yes' is neither 0 nor 1" },
		{ "T_LIST=bad", "T_LIST: 'bad' is bad" },
	};

	check(read_words("--db d", none) == OPTIONS_OK && c.ms == 5000 &&
		c.mode == 0660 && !c.flag && c.list[0] == '\0',
	    "defaults");
	check(read_words("", all) == OPTIONS_OK && strcmp(c.db, "d") == 0 &&
		strcmp(c.secret, "s~!") == 0 && c.ms == 6000 &&
		c.small == 1024 && c.mode == 7 && c.flag &&
		strcmp(c.list, "a b") == 0,
	    "all from the environment");
	check(read_words("-w8 --list x -ly --db=e", all) == OPTIONS_OK &&
		c.ms == 8000 && strcmp(c.list, "xy") == 0 &&
		strcmp(c.db, "e") == 0 && c.mode == 7,
	    "the command line replaces the environment, lists too");
	check(read_words("", empty) == OPTIONS_OK && c.secret == NULL &&
		c.ms == 5000 && c.mode == 0660 && !c.flag && c.list[0] == '\0',
	    "an empty variable counts as not set");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *const vars[] = { "T_DB=d", bad[i].var, NULL };

		check(read_words("", vars) == OPTIONS_BAD &&
			strcmp(why, bad[i].why) == 0,
		    "%s", bad[i].why);
	}
	check(read_words("--db d -xyz word", cgi) == OPTIONS_BAD &&
		strcmp(why,
		    "no log is named: set T_DB to its path in the web"
		    " server's configuration") == 0,
	    "as CGI, the command line is not read");
}

/* ---- commands ---- */

static void
check_operands(void)
{
	struct shared shared = { 0 };
	struct options common = { .command = "prog",
		.table = shared_table,
		.config = &shared,
		.max_operands = -1,
		.stops_early = true };
	struct options o = { .command = "prog do",
		.table = table,
		.config = &c,
		.common = &common,
		.max_operands = 2 };
	char *argv[] = { "prog", "-b", "1", "do", "one", "-fw", "7", "-",
		"--busy=2", "--", "--db", NULL };
	const char *const vars[] = { "T_BUSY=3", NULL };
	int argc = 11, rest;

	c = (struct config){ 0 };
	check(options_arguments(&common, &argc, argv, why) == OPTIONS_OK &&
		shared.busy == 1 && argc == 9 && strcmp(argv[1], "do") == 0 &&
		strcmp(argv[3], "-fw") == 0,
	    "the first operand ends the options of the program");
	rest = argc - 1;
	check(options_arguments(&o, &rest, argv + 1, why) == OPTIONS_BAD &&
		strcmp(why,
		    "'--db': unexpected argument: --db names the log;"
		    " see 'prog do --help'") == 0 &&
		shared.busy == 2 && c.flag && c.ms == 7000,
	    "common options may stand behind the command; one operand too"
	    " many");
	check(strcmp(argv[2], "one") == 0 && strcmp(argv[3], "-") == 0,
	    "operands are moved together");
	check(options_environment(&common, vars, why) == OPTIONS_OK &&
		shared.busy == 2,
	    "the environment does not override the command line");
}

int
main(void)
{
	check_mistakes();
	check_numbers();
	check_environment();
	check_operands();
	return tap_end();
}
