/*
 * Options of the publisher, from the environment and the command line.
 *
 * One table for both.  The token has no option: a command line can be read by
 * every user of the machine.
 */
#include "publisher_config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/form.h"

const char publisher_config_help[] =
    "Usage: rowcast-publish.cgi [OPTION]...\n"
    "Append what POST requests bring to a rowcast log.  A web server starts it,\n"
    "as CGI for one request (options then do not count) or as FastCGI for many;\n"
    "with --socket it listens there by itself.\n"
    "\n"
    "  --db FILE               ROWCAST_DB              the log, no default\n"
    "  --max-body-bytes N      ROWCAST_MAX_BODY_BYTES  default 1048576\n"
    "  --busy-ms N             ROWCAST_BUSY_MS         wait for other writers,\n"
    "                                                  default 5000\n"
    "  --synchronous MODE      ROWCAST_SYNCHRONOUS     full: an answer means on\n"
    "                          disk; normal: the last of them may be lost with\n"
    "                          the power; default full\n"
    "  --cors-origin ORIGIN    ROWCAST_CORS_ORIGINS    whose pages may read the\n"
    "                          answer; repeat it, or list them with spaces;\n"
    "                          '*' for all, without credentials\n"
    "  --publish-open          ROWCAST_PUBLISH_OPEN=1  everyone may publish\n"
    "                          ROWCAST_PUBLISH_TOKEN   a Bearer token that may\n"
    "  --no-sandbox            ROWCAST_NO_SANDBOX=1    give up no rights after\n"
    "                                                  the start\n"
    "\n"
    "As FastCGI:\n"
    "  --socket PATH|HOST:PORT ROWCAST_SOCKET          listen here; without it,\n"
    "                                                  on descriptor 0\n"
    "  --socket-mode OCTAL     ROWCAST_SOCKET_MODE     of the socket at PATH,\n"
    "                                                  default 0660\n"
    "  --max-connections N     ROWCAST_MAX_CONNECTIONS at a time, default 512\n"
    "  --idle-s S              ROWCAST_IDLE_S          a body of which nothing\n"
    "                          comes for so long is given up, default 60\n"
    "  --syslog                ROWCAST_SYSLOG=1        diagnostics to syslog\n"
    "Over TCP only peers in FCGI_WEB_SERVER_ADDRS may connect (127.0.0.1,::1).\n"
    "SIGTERM ends it, SIGUSR2 writes a line of counters.\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "Who may publish: whom the web server authenticated (REMOTE_USER), whoever\n"
    "sends the token, or everyone if it is open; else nobody.\n";

enum option_id {
	OPTION_DB = 1,
	OPTION_MAX_BODY_BYTES,
	OPTION_BUSY_MS,
	OPTION_SYNCHRONOUS,
	OPTION_SOCKET,
	OPTION_SOCKET_MODE,
	OPTION_MAX_CONNECTIONS,
	OPTION_IDLE_S,
	OPTION_SYSLOG,
	OPTION_NO_SANDBOX,
	OPTION_WEB_SERVERS,
	OPTION_CORS_ORIGIN,
	OPTION_PUBLISH_OPEN,
	OPTION_TOKEN,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "db", required_argument, NULL, OPTION_DB },
	{ "max-body-bytes", required_argument, NULL, OPTION_MAX_BODY_BYTES },
	{ "busy-ms", required_argument, NULL, OPTION_BUSY_MS },
	{ "synchronous", required_argument, NULL, OPTION_SYNCHRONOUS },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "socket-mode", required_argument, NULL, OPTION_SOCKET_MODE },
	{ "max-connections", required_argument, NULL, OPTION_MAX_CONNECTIONS },
	{ "idle-s", required_argument, NULL, OPTION_IDLE_S },
	{ "syslog", no_argument, NULL, OPTION_SYSLOG },
	{ "no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX },
	{ "cors-origin", required_argument, NULL, OPTION_CORS_ORIGIN },
	{ "publish-open", no_argument, NULL, OPTION_PUBLISH_OPEN },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	const char *name;
	enum option_id id;
} variables[] = {
	{ "ROWCAST_DB", OPTION_DB },
	{ "ROWCAST_MAX_BODY_BYTES", OPTION_MAX_BODY_BYTES },
	{ "ROWCAST_BUSY_MS", OPTION_BUSY_MS },
	{ "ROWCAST_SYNCHRONOUS", OPTION_SYNCHRONOUS },
	{ "ROWCAST_SOCKET", OPTION_SOCKET },
	{ "ROWCAST_SOCKET_MODE", OPTION_SOCKET_MODE },
	{ "ROWCAST_MAX_CONNECTIONS", OPTION_MAX_CONNECTIONS },
	{ "ROWCAST_IDLE_S", OPTION_IDLE_S },
	{ "ROWCAST_SYSLOG", OPTION_SYSLOG },
	{ "ROWCAST_NO_SANDBOX", OPTION_NO_SANDBOX },
	{ "FCGI_WEB_SERVER_ADDRS", OPTION_WEB_SERVERS },
	{ "ROWCAST_CORS_ORIGINS", OPTION_CORS_ORIGIN },
	{ "ROWCAST_PUBLISH_OPEN", OPTION_PUBLISH_OPEN },
	{ "ROWCAST_PUBLISH_TOKEN", OPTION_TOKEN },
};

/* name is that of the option or the variable, for the operator to find it. */
static int
take_number(const char *name, const char *value, long min, long max, long *out,
    char *why)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	/* strtol would pass over white space and a sign */
	if (value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0 &&
	    n >= min && n <= max) {
		*out = n;
		return 0;
	}
	(void)snprintf(why, CONFIG_WHY_MAX,
	    "%s: '%.40s' is no number from %ld to %ld", name, value, min, max);
	return -1;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* Does it look like what a browser sends as Origin?  It will be written into a
   header and compared byte by byte. */
static bool
is_origin(struct text t)
{
	const char *host;
	size_t scheme_len;

	if (t.len == 1 && t.bytes[0] == '*')
		return true;
	if (t.len > CONFIG_ORIGIN_LEN_MAX)
		return false;
	host = memmem(t.bytes, t.len, "://", 3);
	if (host == NULL || host == t.bytes || host + 3 == t.bytes + t.len)
		return false;
	scheme_len = (size_t)(host - t.bytes);
	for (size_t i = 0; i < t.len; i++) {
		char c = t.bytes[i];
		const char *others = i < scheme_len ? "+-." : "-._:[]";

		if (i >= scheme_len && i < scheme_len + 3)
			continue;
		/* browsers write origins in lower case */
		if (c >= 'A' && c <= 'Z')
			return false;
		if (!is_alnum(c) && (c == '\0' || strchr(others, c) == NULL))
			return false;
	}
	return true;
}

static int
take_origin(struct publisher_config *c, const char *name, struct text origin,
    char *why)
{
	if (c->n_origins == CONFIG_ORIGINS_MAX) {
		(void)snprintf(why, CONFIG_WHY_MAX, "%s: more than %d origins",
		    name, CONFIG_ORIGINS_MAX);
		return -1;
	}
	if (!is_origin(origin)) {
		(void)snprintf(why, CONFIG_WHY_MAX,
		    "%s: '%.*s' is no origin; "
		    "write it like https://www.example.org, in lower case and "
		    "without a path, or * for all",
		    name, (int)(origin.len < 80 ? origin.len : 80),
		    origin.bytes);
		return -1;
	}
	c->origins[c->n_origins++] = origin;
	return 0;
}

static int
take_origins(struct publisher_config *c, const char *name, const char *list,
    char *why)
{
	for (;;) {
		struct text origin;

		list += strspn(list, " ");
		if (*list == '\0')
			return 0;
		origin = (struct text){ list, strcspn(list, " ") };
		if (take_origin(c, name, origin, why) != 0)
			return -1;
		list += origin.len;
	}
}

static int
take_flag(const char *name, const char *value, bool *flag, char *why)
{
	*flag = strcmp(value, "1") == 0;
	if (*flag || strcmp(value, "0") == 0)
		return 0;
	(void)snprintf(why, CONFIG_WHY_MAX, "%s: set it to 1, or leave it out",
	    name);
	return -1;
}

static int
take_synchronous(struct publisher_config *c, const char *name,
    const char *value, char *why)
{
	c->no_sync = strcmp(value, "normal") == 0;
	if (c->no_sync || strcmp(value, "full") == 0)
		return 0;
	(void)snprintf(why, CONFIG_WHY_MAX, "%s: '%.40s' is not full or normal",
	    name, value);
	return -1;
}

static int
take_mode(struct publisher_config *c, const char *name, const char *value,
    char *why)
{
	size_t len = strspn(value, "01234567");

	if (len == strlen(value) && len >= 1 && len <= 4 &&
	    strtoul(value, NULL, 8) <= 0777) {
		c->socket_mode = (mode_t)strtoul(value, NULL, 8);
		return 0;
	}
	(void)snprintf(why, CONFIG_WHY_MAX,
	    "%s: '%.40s' is no octal number from 0 to 777", name, value);
	return -1;
}

/* An address that is no path must have a port. */
static int
take_socket(struct publisher_config *c, const char *name, const char *value,
    char *why)
{
	const char *colon = strrchr(value, ':');

	c->socket = value;
	if (value[0] != '\0' &&
	    (strchr(value, '/') != NULL || colon == NULL || colon[1] != '\0'))
		return 0;
	(void)snprintf(why, CONFIG_WHY_MAX,
	    "%s: '%.40s' is neither a path nor HOST:PORT", name, value);
	return -1;
}

/* What a client could not send could never match. */
static int
take_token(struct publisher_config *c, const char *name, const char *value,
    char *why)
{
	for (const char *at = value; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~') {
			(void)snprintf(why, CONFIG_WHY_MAX,
			    "%s: use printable ASCII without spaces", name);
			return -1;
		}
	}
	c->token = value;
	return 0;
}

static int
take_option(struct publisher_config *c, enum option_id id, const char *name,
    const char *value, char *why)
{
	long n = 0;
	int result = 0;

	switch (id) {
	case OPTION_DB:
		c->db = value;
		break;
	case OPTION_MAX_BODY_BYTES:
		result =
		    take_number(name, value, 1, CONFIG_BODY_BYTES_MAX, &n, why);
		c->max_body_bytes = (size_t)n;
		break;
	case OPTION_BUSY_MS:
		result =
		    take_number(name, value, 0, CONFIG_BUSY_MS_MAX, &n, why);
		c->busy_ms = (int)n;
		break;
	case OPTION_SYNCHRONOUS:
		return take_synchronous(c, name, value, why);
	case OPTION_SOCKET:
		return take_socket(c, name, value, why);
	case OPTION_SOCKET_MODE:
		return take_mode(c, name, value, why);
	case OPTION_MAX_CONNECTIONS:
		result = take_number(name, value, 1, CONFIG_CONNECTIONS_MAX, &n,
		    why);
		c->max_connections = (size_t)n;
		break;
	case OPTION_IDLE_S:
		result =
		    take_number(name, value, 1, CONFIG_IDLE_S_MAX, &n, why);
		c->idle_ms = (int64_t)n * 1000;
		break;
	case OPTION_SYSLOG:
		return take_flag(name, value, &c->use_syslog, why);
	case OPTION_NO_SANDBOX:
		return take_flag(name, value, &c->no_sandbox, why);
	case OPTION_WEB_SERVERS:
		c->web_servers = value;
		break;
	case OPTION_CORS_ORIGIN:
		return take_origins(c, name, value, why);
	case OPTION_PUBLISH_OPEN:
		return take_flag(name, value, &c->is_open, why);
	case OPTION_TOKEN:
		return take_token(c, name, value, why);
	case OPTION_HELP:
	case OPTION_VERSION:
		break; /* publisher_config_read() has seen to them */
	}
	return result;
}

static enum config_result
read_environment(const char *const *vars, struct publisher_config *c, char *why)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char *name = variables[i].name;
		const char *value = form_var(vars, name);

		/* Web servers have it easier to set empty than to unset. */
		if (value == NULL || value[0] == '\0')
			continue;
		if (take_option(c, variables[i].id, name, value, why) != 0)
			return CONFIG_BAD;
	}
	return CONFIG_OK;
}

static enum config_result
read_command_line(int argc, char **argv, struct publisher_config *c, char *why)
{
	bool has_origins = false;
	int id, index = 0;

	opterr = 0; /* what is wrong goes out through why */
	optind = 1;
	while ((id = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (id == OPTION_HELP)
			return CONFIG_HELP;
		if (id == OPTION_VERSION)
			return CONFIG_VERSION;
		if (id == '?') {
			(void)snprintf(why, CONFIG_WHY_MAX,
			    "option %.80s: unknown, or its value is missing or "
			    "too much; see --help",
			    argv[optind - 1]);
			return CONFIG_BAD;
		}
		if (id == OPTION_CORS_ORIGIN && !has_origins) {
			has_origins = true;
			c->n_origins = 0; /* those of the environment */
		}
		if (take_option(c, (enum option_id)id, long_options[index].name,
			optarg != NULL ? optarg : "1", why) != 0)
			return CONFIG_BAD;
	}
	if (optind == argc)
		return CONFIG_OK;
	(void)snprintf(why, CONFIG_WHY_MAX, "argument %.80s: there are none",
	    argv[optind]);
	return CONFIG_BAD;
}

enum config_result
publisher_config_read(int argc, char **argv, const char *const *vars,
    struct publisher_config *c, char why[CONFIG_WHY_MAX])
{
	enum config_result result;

	*c = (struct publisher_config){
		.max_body_bytes = CONFIG_BODY_BYTES,
		.busy_ms = CONFIG_BUSY_MS,
		.socket_mode = 0660,
		.web_servers = "127.0.0.1,::1",
		.max_connections = CONFIG_CONNECTIONS,
		.idle_ms = (int64_t)CONFIG_IDLE_S * 1000,
	};
	why[0] = '\0';
	result = read_environment(vars, c, why);
	if (result == CONFIG_OK && form_var(vars, "GATEWAY_INTERFACE") == NULL)
		result = read_command_line(argc, argv, c, why);
	if (result != CONFIG_OK)
		return result;
	if (c->db != NULL && c->db[0] != '\0')
		return CONFIG_OK;
	(void)snprintf(why, CONFIG_WHY_MAX,
	    "ROWCAST_DB is not set: set it in "
	    "the web server's configuration to the path of the log");
	return CONFIG_BAD;
}
