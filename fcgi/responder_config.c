/*
 * The options of the responder.
 */
#include "responder_config.h"

#include <sys/resource.h>

#include "lib/event.h"
#include "lib/fastcgi/address.h"

#define CONFIG struct responder_config

static const char usage[] =
    "Usage: rowcast.fcgi --db PATH [OPTION]...\n"
    "Send the rows of an SQLite log to browsers as Server-Sent Events.  A web\n"
    "server starts it, over FastCGI or CGI; with --socket it runs by itself.\n"
    "\n";

static const char notes[] =
    "\n"
    "Each option can be set in the environment: --keepalive-s as\n"
    "ROWCAST_KEEPALIVE_S, --syslog as ROWCAST_SYSLOG=1, all --cors-origin\n"
    "as ROWCAST_CORS_ORIGINS, separated by spaces.  As CGI, only the\n"
    "environment counts.\n"
    "SIGTERM ends all streams; SIGUSR2 writes a line of counters.\n";

static const struct option table[] = {
	{ "db", NULL, "ROWCAST_DB", "PATH", NULL,
	    "the log; created if it is missing (required)",
	    OPTION_PLAIN(LOG, CONFIG, db) },
	{ "socket", NULL, "ROWCAST_SOCKET", "PATH|HOST:PORT", NULL,
	    "listen here instead of on descriptor 0",
	    OPTION_OTHER(CONFIG, socket, address_option) },
	{ "socket-mode", NULL, "ROWCAST_SOCKET_MODE", "OCTAL", "0660",
	    "mode of the socket at PATH",
	    OPTION_OCTAL(CONFIG, socket_mode, 0777) },
	{ "keepalive-s", NULL, "ROWCAST_KEEPALIVE_S", "S", "15",
	    "send a comment after this time without output",
	    OPTION_NUMBER(CONFIG, keepalive_ms, 1, 86400, 1000) },
	{ "retry-ms", NULL, "ROWCAST_RETRY_MS", "MS", "3000",
	    "reconnection time of clients",
	    OPTION_NUMBER(CONFIG, retry_ms, 0, EVENT_RETRY_MAX_MS, 1) },
	{ "max-age-s", NULL, "ROWCAST_MAX_AGE_S", "S", "3600",
	    "end a stream after this time, +-20 %",
	    OPTION_NUMBER(CONFIG, max_age_ms, 1, 31536000, 1000) },
	{ "stall-s", NULL, "ROWCAST_STALL_S", "S", "60",
	    "close a stream whose client reads nothing",
	    OPTION_NUMBER(CONFIG, stall_ms, 1, 86400, 1000) },
	{ "request-timeout-s", NULL, "ROWCAST_REQUEST_TIMEOUT_S", "S", "5",
	    "close a connection whose request is incomplete",
	    OPTION_NUMBER(CONFIG, request_timeout_ms, 1, 3600, 1000) },
	{ "shutdown-retry-s", NULL, "ROWCAST_SHUTDOWN_RETRY_S", "S", "5",
	    "longest reconnection time at shutdown",
	    OPTION_NUMBER(CONFIG, shutdown_retry_ms, 0, 3600, 1000) },
	{ "poll-ms", NULL, "ROWCAST_POLL_MS", "MS", "100",
	    "look at the log at least this often",
	    OPTION_NUMBER(CONFIG, poll_ms, 1, 60000, 1) },
	{ "max-streams", NULL, "ROWCAST_MAX_STREAMS", "N", NULL,
	    "clients at a time (default: limit of open files, less 128)",
	    OPTION_NUMBER(CONFIG, max_streams, 1, 10000000, 1) },
	{ "tail-kb", NULL, "ROWCAST_TAIL_KB", "KB", "4096",
	    "memory for the newest events, encoded",
	    OPTION_NUMBER(CONFIG, tail_bytes, 64, 1 << 30, 1024) },
	{ "replay-kb", NULL, "ROWCAST_REPLAY_KB", "KB", "4096",
	    "memory for pages of older events, encoded",
	    OPTION_NUMBER(CONFIG, replay_bytes, 64, 1 << 30, 1024) },
	{ "cors-origin", NULL, "ROWCAST_CORS_ORIGINS", "ORIGIN", NULL,
	    "origin whose pages may read, or * for all, without credentials;"
	    " repeatable",
	    OPTION_OTHER(CONFIG, cors, cors_add) },
	{ "syslog", NULL, "ROWCAST_SYSLOG", NULL, NULL, "diagnostics to syslog",
	    OPTION_PLAIN(FLAG, CONFIG, use_syslog) },
	{ "no-sandbox", NULL, "ROWCAST_NO_SANDBOX", NULL, NULL,
	    "do not enter the sandbox",
	    OPTION_PLAIN(FLAG, CONFIG, no_sandbox) },
	{ NULL, NULL, "FCGI_WEB_SERVER_ADDRS", NULL, "127.0.0.1,::1",
	    "addresses that may connect over TCP",
	    OPTION_PLAIN(TEXT, CONFIG, web_servers) },
	OPTION_END,
};

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

enum options_result
responder_config_read(int argc, char **argv, const char *const *vars,
    struct responder_config *config, char why[OPTIONS_WHY_MAX])
{
	struct options options = {
		.command = "rowcast.fcgi",
		.usage = usage,
		.notes = notes,
		.table = table,
		.config = config,
	};

	*config = (struct responder_config){ .max_streams = default_streams() };
	return options_read(&options, argc, argv, vars, why);
}
