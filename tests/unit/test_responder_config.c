/*
 * responder_config: bounds and defaults of each option of the responder, by
 * the command line and by the environment.
 */
#include "configs.h"

#include "fcgi/responder_config.h"

static struct responder_config c;

static int
read_config(int argc, char **argv, const char *const *vars, char *why)
{
	return (int)responder_config_read(argc, argv, vars, &c, why);
}

static const struct bounds numbers[] = {
	{ "keepalive-s", "ROWCAST_KEEPALIVE_S", 1, 86400, 1000, 15,
	    &c.keepalive_ms },
	{ "retry-ms", "ROWCAST_RETRY_MS", 0, 86400000, 1, 3000, &c.retry_ms },
	{ "max-age-s", "ROWCAST_MAX_AGE_S", 1, 31536000, 1000, 3600,
	    &c.max_age_ms },
	{ "stall-s", "ROWCAST_STALL_S", 1, 86400, 1000, 60, &c.stall_ms },
	{ "request-timeout-s", "ROWCAST_REQUEST_TIMEOUT_S", 1, 3600, 1000, 5,
	    &c.request_timeout_ms },
	{ "shutdown-retry-s", "ROWCAST_SHUTDOWN_RETRY_S", 0, 3600, 1000, 5,
	    &c.shutdown_retry_ms },
	{ "poll-ms", "ROWCAST_POLL_MS", 1, 60000, 1, 100, &c.poll_ms },
};

static const struct bounds sizes[] = {
	{ "max-streams", "ROWCAST_MAX_STREAMS", 1, 10000000, 1, -1,
	    &c.max_streams },
	{ "tail-kb", "ROWCAST_TAIL_KB", 64,
	    SIZE_MAX > UINT32_MAX ? 1 << 30 : 2097151, 1024, 4096,
	    &c.tail_bytes },
	{ "replay-kb", "ROWCAST_REPLAY_KB", 64,
	    SIZE_MAX > UINT32_MAX ? 1 << 30 : 2097151, 1024, 4096,
	    &c.replay_bytes },
};

int
main(void)
{
	check_bounds(read_config, numbers, sizeof(numbers) / sizeof(*numbers),
	    sizeof(c.keepalive_ms));
	check_bounds(read_config, sizes, sizeof(sizes) / sizeof(*sizes),
	    sizeof(c.tail_bytes));

	check(reads(read_config, "", "ROWCAST_DB=d") &&
		strcmp(c.db, "d") == 0 && c.socket == NULL &&
		c.socket_mode == 0660 &&
		strcmp(c.web_servers, "127.0.0.1,::1") == 0 &&
		c.cors.n_origins == 0 && !c.cors.is_any && !c.use_syslog &&
		!c.no_sandbox && c.max_streams >= 128,
	    "defaults");
	check(reads(read_config,
		  "--db=x --socket=s --socket-mode=0600 --syslog"
		  " --no-sandbox --cors-origin=https://a"
		  " --cors-origin=*",
		  "") &&
		strcmp(c.db, "x") == 0 && strcmp(c.socket, "s") == 0 &&
		c.socket_mode == 0600 && c.use_syslog && c.no_sandbox &&
		c.cors.n_origins == 1 && c.cors.is_any,
	    "the command line");
	check(reads(read_config, "",
		  "ROWCAST_DB=x ROWCAST_SOCKET=s ROWCAST_SOCKET_MODE=0600"
		  " ROWCAST_SYSLOG=1 ROWCAST_NO_SANDBOX=1"
		  " ROWCAST_CORS_ORIGINS=https://a"
		  " FCGI_WEB_SERVER_ADDRS=::2") &&
		strcmp(c.db, "x") == 0 && strcmp(c.socket, "s") == 0 &&
		c.socket_mode == 0600 && c.use_syslog && c.no_sandbox &&
		c.cors.n_origins == 1 && !c.cors.is_any &&
		strcmp(c.web_servers, "::2") == 0,
	    "the environment");
	check(reads(read_config, "--cors-origin=https://b",
		  "ROWCAST_DB=x ROWCAST_CORS_ORIGINS=*") &&
		c.cors.n_origins == 1 && !c.cors.is_any,
	    "origins of the command line replace those of the environment");
	return tap_end();
}
