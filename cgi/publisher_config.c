/*
 * The options of the publisher.  The token has no option, only a variable:
 * every user of a machine can read the command lines of all programs.
 */
#include "publisher_config.h"

#include <string.h>

#include "lib/event.h"
#include "lib/fastcgi/address.h"
#include "lib/value.h"

#define CONFIG struct publisher_config

static const char usage[] =
    "Usage: rowcast-publish.cgi --db FILE [OPTION]...\n"
    "Append the events of POST requests to a rowcast log.  A web server\n"
    "starts it, as CGI for one request or as FastCGI for many; with --socket\n"
    "it runs by itself.\n"
    "\n";

static const char notes[] =
    "\n"
    "Each option can be set in the environment: --idle-s as ROWCAST_IDLE_S,\n"
    "--publish-open as ROWCAST_PUBLISH_OPEN=1, all --cors-origin as\n"
    "ROWCAST_CORS_ORIGINS, separated by spaces.  As CGI, only the environment\n"
    "counts.\n"
    "SIGTERM ends the program; SIGUSR2 writes a line of counters.\n"
    "\n"
    "Users whom the web server has authenticated (REMOTE_USER) may publish,\n"
    "and clients that send the token.  With --publish-open, everyone may\n"
    "publish.\n";

static enum options_result
read_synchronous(void *field, const char *value, char *why)
{
	bool *no_sync = field;

	*no_sync = strcmp(value, "normal") == 0;
	if (*no_sync || strcmp(value, "full") == 0)
		return OPTIONS_OK;
	return value_refuse(why, "'%.40s' is not full or normal", value);
}

static const struct option table[] = {
	{ "db", NULL, "ROWCAST_DB", "FILE", NULL,
	    "the log; created if it is missing (required)",
	    OPTION_PLAIN(LOG, CONFIG, db) },
	{ "max-body-bytes", NULL, "ROWCAST_MAX_BODY_BYTES", "N", "1048576",
	    "largest body, or largest event of a streamed one",
	    OPTION_NUMBER(CONFIG, max_body_bytes, 1, EVENT_DATA_MAX, 1) },
	{ "busy-ms", NULL, "ROWCAST_BUSY_MS", "MS", "5000",
	    "wait this long for other writers",
	    OPTION_NUMBER(CONFIG, busy_ms, 0, 600000, 1) },
	{ "synchronous", NULL, "ROWCAST_SYNCHRONOUS", "MODE", "full",
	    "full: events are on disk before the answer; normal: a power"
	    " failure may lose the newest",
	    OPTION_OTHER(CONFIG, no_sync, read_synchronous) },
	{ "cors-origin", NULL, "ROWCAST_CORS_ORIGINS", "ORIGIN", NULL,
	    "origin whose pages may publish, or * for all, without"
	    " credentials; repeatable",
	    OPTION_OTHER(CONFIG, cors, cors_add) },
	{ "publish-open", NULL, "ROWCAST_PUBLISH_OPEN", NULL, NULL,
	    "let everyone publish", OPTION_PLAIN(FLAG, CONFIG, is_open) },
	{ NULL, NULL, "ROWCAST_PUBLISH_TOKEN", NULL, NULL,
	    "Bearer token that may publish",
	    OPTION_PLAIN(SECRET, CONFIG, token) },
	{ "socket", NULL, "ROWCAST_SOCKET", "PATH|HOST:PORT", NULL,
	    "FastCGI: listen here instead of on descriptor 0",
	    OPTION_OTHER(CONFIG, socket, address_option) },
	{ "socket-mode", NULL, "ROWCAST_SOCKET_MODE", "OCTAL", "0660",
	    "mode of the socket at PATH",
	    OPTION_OCTAL(CONFIG, socket_mode, 0777) },
	{ "max-connections", NULL, "ROWCAST_MAX_CONNECTIONS", "N", "512",
	    "FastCGI: connections at a time",
	    OPTION_NUMBER(CONFIG, max_connections, 1, 1000000, 1) },
	{ "idle-s", NULL, "ROWCAST_IDLE_S", "S", "60",
	    "FastCGI: end a request of which nothing arrives",
	    OPTION_NUMBER(CONFIG, idle_ms, 1, 86400, 1000) },
	{ "syslog", NULL, "ROWCAST_SYSLOG", NULL, NULL,
	    "FastCGI: diagnostics to syslog",
	    OPTION_PLAIN(FLAG, CONFIG, use_syslog) },
	{ "no-sandbox", NULL, "ROWCAST_NO_SANDBOX", NULL, NULL,
	    "do not enter the sandbox",
	    OPTION_PLAIN(FLAG, CONFIG, no_sandbox) },
	{ NULL, NULL, "FCGI_WEB_SERVER_ADDRS", NULL, "127.0.0.1,::1",
	    "addresses that may connect over TCP",
	    OPTION_PLAIN(TEXT, CONFIG, web_servers) },
	OPTION_END,
};

enum options_result
publisher_config_read(int argc, char **argv, const char *const *vars,
    struct publisher_config *config, char why[OPTIONS_WHY_MAX])
{
	struct options options = {
		.command = "rowcast-publish.cgi",
		.usage = usage,
		.notes = notes,
		.table = table,
		.config = config,
	};

	*config = (struct publisher_config){ 0 };
	return options_read(&options, argc, argv, vars, why);
}
