/*
 * publisher_config: bounds and defaults of each option of the publisher, by
 * the command line and by the environment.
 */
#include "configs.h"

#include "cgi/publisher_config.h"

static struct publisher_config c;

static int
read_config(int argc, char **argv, const char *const *vars, char *why)
{
	return (int)publisher_config_read(argc, argv, vars, &c, why);
}

static const struct bounds sizes[] = {
	{ "max-body-bytes", "ROWCAST_MAX_BODY_BYTES", 1, 268435456, 1, 1048576,
	    &c.max_body_bytes },
	{ "max-connections", "ROWCAST_MAX_CONNECTIONS", 1, 1000000, 1, 512,
	    &c.max_connections },
};
static const struct bounds busy = { "busy-ms", "ROWCAST_BUSY_MS", 0, 600000, 1,
	5000, &c.busy_ms };
static const struct bounds idle = { "idle-s", "ROWCAST_IDLE_S", 1, 86400, 1000,
	60, &c.idle_ms };

int
main(void)
{
	check_bounds(read_config, sizes, sizeof(sizes) / sizeof(*sizes),
	    sizeof(c.max_body_bytes));
	check_bounds(read_config, &busy, 1, sizeof(c.busy_ms));
	check_bounds(read_config, &idle, 1, sizeof(c.idle_ms));

	check(reads(read_config, "", "ROWCAST_DB=d") &&
		strcmp(c.db, "d") == 0 && c.socket == NULL &&
		c.socket_mode == 0660 && !c.no_sync && !c.is_open &&
		c.token == NULL &&
		strcmp(c.web_servers, "127.0.0.1,::1") == 0 &&
		c.cors.n_origins == 0 && !c.use_syslog && !c.no_sandbox,
	    "defaults");
	check(reads(read_config,
		  "--db=x --socket=s --synchronous=normal"
		  " --publish-open --syslog --no-sandbox"
		  " --socket-mode=0600",
		  "ROWCAST_PUBLISH_TOKEN=t") &&
		strcmp(c.db, "x") == 0 && strcmp(c.socket, "s") == 0 &&
		c.socket_mode == 0600 && c.no_sync && c.is_open &&
		c.use_syslog && c.no_sandbox && strcmp(c.token, "t") == 0,
	    "the command line");
	check(reads(read_config, "",
		  "ROWCAST_DB=x ROWCAST_SOCKET=s ROWCAST_SYNCHRONOUS=normal"
		  " ROWCAST_PUBLISH_OPEN=1 ROWCAST_SYSLOG=1"
		  " ROWCAST_NO_SANDBOX=1 ROWCAST_SOCKET_MODE=0600"
		  " ROWCAST_CORS_ORIGINS=*") &&
		strcmp(c.socket, "s") == 0 && c.socket_mode == 0600 &&
		c.no_sync && c.is_open && c.use_syslog && c.no_sandbox &&
		c.cors.is_any,
	    "the environment");
	check(!reads(read_config, "--synchronous=off", "ROWCAST_DB=x") &&
		strcmp(configs_why,
		    "--synchronous: 'off' is not full or normal") == 0,
	    "a mode that there is not");
	check(reads(read_config, "--publish-open",
		  "ROWCAST_DB=x GATEWAY_INTERFACE=CGI/1.1") &&
		!c.is_open,
	    "as CGI, the command line is not read");
	return tap_end();
}
