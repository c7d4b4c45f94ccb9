/*
 * How the responder is to run.  One table says all of an option: its name, its
 * range and where its value goes; the environment and the help follow from it.
 */
#include "responder_config.h"

#include <sys/resource.h>

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	TEXT,
	NUMBER, /* times scale into an int64_t */
	COUNT,  /* times scale into a size_t */
	MODE,   /* octal */
	ORIGIN, /* repeatable; a list separated by spaces in the environment */
	FLAG,
};

struct option_spec {
	const char *name;
	const char *argument;
	const char *help;
	enum kind kind;
	int64_t min;
	int64_t max;
	int64_t scale;
	size_t offset;
};

#define AT(field) offsetof(struct responder_config, field)

static const struct option_spec specs[] = {
	{ "db", "PATH", "the log; made where there is none (required)", TEXT, 0,
	    0, 0, AT(db) },
	{ "socket", "PATH|HOST:PORT",
	    "listen here; without it, on descriptor 0", TEXT, 0, 0, 0,
	    AT(socket) },
	{ "socket-mode", "OCTAL", "mode of the socket at PATH (0660)", MODE, 0,
	    0777, 1, AT(socket_mode) },
	{ "keepalive-s", "S", "silence before a comment is sent (15)", NUMBER,
	    1, 86400, 1000, AT(keepalive_ms) },
	{ "retry-ms", "MS", "reconnection time told to clients (3000)", NUMBER,
	    0, 86400000, 1, AT(retry_ms) },
	{ "max-age-s", "S", "a stream ends after so long, +-20 % (3600)",
	    NUMBER, 1, 31536000, 1000, AT(max_age_ms) },
	{ "stall-s", "S", "a client that takes nothing is closed after (60)",
	    NUMBER, 1, 86400, 1000, AT(stall_ms) },
	{ "request-timeout-s", "S", "for a request to come in whole (5)",
	    NUMBER, 1, 3600, 1000, AT(request_timeout_ms) },
	{ "shutdown-retry-s", "S", "at shutdown clients come back within (5)",
	    NUMBER, 0, 3600, 1000, AT(shutdown_retry_ms) },
	{ "poll-ms", "MS", "look at the log at least so often (100)", NUMBER, 1,
	    60000, 1, AT(poll_ms) },
	{ "max-streams", "N", "clients at a time (as descriptors allow)", COUNT,
	    1, 10000000, 1, AT(max_streams) },
	{ "tail-kb", "KB", "newest events kept encoded (4096)", COUNT, 64,
	    1 << 30, 1024, AT(tail_bytes) },
	{ "replay-kb", "KB", "older pages kept encoded (4096)", COUNT, 64,
	    1 << 30, 1024, AT(replay_bytes) },
	{ "cors-origin", "ORIGIN",
	    "origin whose pages may read, or *; repeatable", ORIGIN, 0, 0, 0,
	    AT(cors_origins) },
	{ "syslog", NULL, "diagnostics to syslog", FLAG, 0, 0, 0,
	    AT(use_syslog) },
	{ "no-sandbox", NULL, "give up no rights after the start", FLAG, 0, 0,
	    0, AT(no_sandbox) },
};

#define N_SPECS (sizeof(specs) / sizeof(specs[0]))
#define ENV_MAX 64

/* --keepalive-s is ROWCAST_KEEPALIVE_S; origins are a list there. */
static void
env_name(const struct option_spec *spec, char out[ENV_MAX])
{
	size_t n;

	(void)snprintf(out, ENV_MAX, "ROWCAST_%s%s", spec->name,
	    spec->kind == ORIGIN ? "S" : "");
	for (n = 0; out[n] != '\0'; n++)
		out[n] =
		    out[n] == '-' ? '_' : (char)toupper((unsigned char)out[n]);
}

static void
help(void)
{
	printf("usage: rowcast.fcgi --db PATH [option ...]\n\n"
	       "Sends the rows of an SQLite log to browsers as Server-Sent"
	       " Events.\nStarted by a web server over FastCGI or CGI, or by"
	       " itself with --socket.\n\n");
	for (size_t i = 0; i < N_SPECS; i++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "--%s %s", specs[i].name,
		    specs[i].argument != NULL ? specs[i].argument : "");
		printf("  %-28s %s\n", left, specs[i].help);
	}
	printf("  %-28s %s\n  %-28s %s\n\n"
	       "Each option can come from the environment: --keepalive-s as"
	       " ROWCAST_KEEPALIVE_S,\n--cors-origin as ROWCAST_CORS_ORIGINS"
	       " (separated by spaces).\nOver TCP only peers in"
	       " FCGI_WEB_SERVER_ADDRS may connect (127.0.0.1,::1).\n"
	       "SIGTERM ends all streams; SIGUSR2 writes a line of counters.\n",
	    "--help", "this text", "--version", "the version");
}

/* ---- one value ---- */

static int
bad(char why[CONFIG_WHY_MAX], const struct option_spec *spec, const char *value,
    const char *what)
{
	(void)snprintf(why, CONFIG_WHY_MAX, "--%s: '%.60s' %s", spec->name,
	    value, what);
	return -1;
}

static int
set_number(struct responder_config *config, const struct option_spec *spec,
    const char *value, char why[CONFIG_WHY_MAX])
{
	char *field = (char *)config + spec->offset, range[96], *end;
	long long n;

	errno = 0;
	n = strtoll(value, &end, spec->kind == MODE ? 8 : 10);
	if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 ||
	    n < spec->min || n > spec->max) {
		(void)snprintf(range, sizeof(range),
		    spec->kind == MODE ? "is no mode from %llo to %llo" :
					 "is no whole number from %lld to %lld",
		    (long long)spec->min, (long long)spec->max);
		return bad(why, spec, value, range);
	}
	n *= spec->scale;
	if (spec->kind == NUMBER)
		*(int64_t *)(void *)field = n;
	else if (spec->kind == COUNT)
		*(size_t *)(void *)field = (size_t)n;
	else
		*(mode_t *)(void *)field = (mode_t)n;
	return 0;
}

/* scheme://host[:port], as browsers send it */
static bool
is_origin(const char *value, size_t len)
{
	const char *p = memmem(value, len, "://", 3);

	if (p == NULL || p == value || p + 3 == value + len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] <= ' ' ||
		    (unsigned char)value[i] >= 0x7f)
			return false;
	return memchr(p + 3, '/', len - (size_t)(p + 3 - value)) == NULL;
}

static int
add_origin(struct responder_config *config, const struct option_spec *spec,
    const char *value, size_t len, char why[CONFIG_WHY_MAX])
{
	size_t n = 0;
	char *copy;
	void *list;

	if (len == 1 && value[0] == '*') {
		config->cors_any = true;
		return 0;
	}
	if (len > 255 || !is_origin(value, len))
		return bad(why, spec, value,
		    "is no origin: write https://host or https://host:port");
	while (config->cors_origins[n] != NULL)
		n++;
	copy = strndup(value, len);
	list = realloc(config->cors_origins, (n + 2) * sizeof(char *));
	if (list != NULL)
		config->cors_origins = list;
	if (list == NULL || copy == NULL) {
		free(copy);
		return bad(why, spec, value, "finds no memory");
	}
	config->cors_origins[n] = copy;
	config->cors_origins[n + 1] = NULL;
	return 0;
}

static int
add_origins(struct responder_config *config, const struct option_spec *spec,
    const char *value, char why[CONFIG_WHY_MAX])
{
	for (;;) {
		size_t len;

		value += strspn(value, " ");
		len = strcspn(value, " ");
		if (len == 0)
			return 0;
		if (add_origin(config, spec, value, len, why) != 0)
			return -1;
		value += len;
	}
}

static int
set(struct responder_config *config, const struct option_spec *spec,
    const char *value, char why[CONFIG_WHY_MAX])
{
	char *field = (char *)config + spec->offset;

	switch (spec->kind) {
	case TEXT:
		if (value[0] == '\0')
			return bad(why, spec, value, "is empty");
		*(const char **)(void *)field = value;
		return 0;
	case NUMBER:
	case COUNT:
	case MODE:
		return set_number(config, spec, value, why);
	case ORIGIN:
		return add_origins(config, spec, value, why);
	case FLAG:
		if (strcmp(value, "1") != 0 && strcmp(value, "0") != 0)
			return bad(why, spec, value, "is neither 0 nor 1");
		*(bool *)(void *)field = value[0] == '1';
		return 0;
	}
	return -1;
}

/* ---- all of them ---- */

static int
read_environment(struct responder_config *config, char why[CONFIG_WHY_MAX])
{
	for (size_t i = 0; i < N_SPECS; i++) {
		char name[ENV_MAX];
		const char *value;

		env_name(&specs[i], name);
		value = getenv(name);
		if (value != NULL && set(config, &specs[i], value, why) != 0)
			return -1;
	}
	return 0;
}

static enum config_result
read_arguments(int argc, char **argv, struct responder_config *config,
    char why[CONFIG_WHY_MAX])
{
	struct option options[N_SPECS + 3] = { { 0 } };
	int c, index = 0;

	for (size_t i = 0; i < N_SPECS; i++)
		options[i] = (struct option){ specs[i].name,
			specs[i].argument != NULL, NULL, 0 };
	options[N_SPECS] = (struct option){ "help", 0, NULL, 'h' };
	options[N_SPECS + 1] = (struct option){ "version", 0, NULL, 'v' };
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, &index)) != -1) {
		if (c == 'h' || c == 'v') {
			if (c == 'h')
				help();
			else
				puts("rowcast.fcgi " ROWCAST_VERSION);
			return CONFIG_EXIT;
		}
		if (c != 0) {
			(void)snprintf(why, CONFIG_WHY_MAX,
			    "%.60s: %s; --help"
			    " lists all options",
			    argv[optind - 1],
			    c == ':' ? "needs a value" :
				       "is no option of ours");
			return CONFIG_BAD;
		}
		if (set(config, &specs[index], optarg != NULL ? optarg : "1",
			why) != 0)
			return CONFIG_BAD;
	}
	if (optind < argc) {
		(void)snprintf(why, CONFIG_WHY_MAX,
		    "'%.60s' stands alone;"
		    " --help lists all options",
		    argv[optind]);
		return CONFIG_BAD;
	}
	return CONFIG_OK;
}

/* As many streams as there may be descriptors, less those for ourselves. */
static size_t
default_streams(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_max == RLIM_INFINITY)
		return 65536;
	return limit.rlim_max > 256 ? (size_t)limit.rlim_max - 128 : 128;
}

enum config_result
responder_config_read(int argc, char **argv, struct responder_config *config,
    char why[CONFIG_WHY_MAX])
{
	const char *web_servers = getenv("FCGI_WEB_SERVER_ADDRS");
	enum config_result result = CONFIG_BAD;

	*config = (struct responder_config){
		.socket_mode = 0660,
		.web_servers =
		    web_servers != NULL ? web_servers : "127.0.0.1,::1",
		.keepalive_ms = 15000,
		.retry_ms = 3000,
		.max_age_ms = 3600000,
		.stall_ms = 60000,
		.request_timeout_ms = 5000,
		.poll_ms = 100,
		.shutdown_retry_ms = 5000,
		.max_streams = default_streams(),
		.tail_bytes = (size_t)4096 * 1024,
		.replay_bytes = (size_t)4096 * 1024,
		.cors_origins = calloc(1, sizeof(char *)),
	};
	(void)snprintf(why, CONFIG_WHY_MAX, "out of memory");
	if (config->cors_origins != NULL && read_environment(config, why) == 0)
		/* a CGI program's arguments come from the client's query */
		result = getenv("GATEWAY_INTERFACE") != NULL ?
		    CONFIG_OK :
		    read_arguments(argc, argv, config, why);
	if (result == CONFIG_OK && config->db == NULL) {
		(void)snprintf(why, CONFIG_WHY_MAX,
		    "no log is named: give"
		    " --db PATH or set ROWCAST_DB");
		result = CONFIG_BAD;
	}
	if (result != CONFIG_OK)
		responder_config_free(config);
	return result;
}

void
responder_config_free(struct responder_config *config)
{
	if (config->cors_origins == NULL)
		return;
	for (const char **o = config->cors_origins; *o != NULL; o++)
		free((char *)(uintptr_t)*o);
	free(config->cors_origins);
	config->cors_origins = NULL;
}
