#ifndef ROWCAST_PUBLISHER_CONFIG_H
#define ROWCAST_PUBLISHER_CONFIG_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/event.h"

#define CONFIG_BODY_BYTES 1048576
#define CONFIG_BODY_BYTES_MAX 268435456
#define CONFIG_BUSY_MS 5000
#define CONFIG_BUSY_MS_MAX 600000
#define CONFIG_IDLE_S 60
#define CONFIG_IDLE_S_MAX 86400
#define CONFIG_CONNECTIONS 512
#define CONFIG_CONNECTIONS_MAX 1000000
#define CONFIG_ORIGINS_MAX 64
#define CONFIG_ORIGIN_LEN_MAX 255

/*
 * How the publisher was set up; checked, but nothing is opened yet.
 *   token    a Bearer token that may publish; NULL for none
 *   origins  "*" or "scheme://host[:port]": whose pages may read our answers
 */
struct publisher_config {
	const char *db;
	bool no_sync;            /* commits do not wait for the disk */
	const char *socket;      /* as FastCGI: PATH or HOST:PORT, or NULL */
	mode_t socket_mode;      /* of a socket at a path */
	const char *web_servers; /* addresses that may connect over TCP */
	size_t max_connections;
	int64_t idle_ms; /* without a byte of a body, then it is given up */
	size_t max_body_bytes;
	int busy_ms;
	bool use_syslog;
	bool no_sandbox;
	const char *token;
	bool is_open;
	struct text origins[CONFIG_ORIGINS_MAX];
	size_t n_origins;
};

enum config_result {
	CONFIG_OK,
	CONFIG_HELP,    /* --help was asked for */
	CONFIG_VERSION, /* --version was */
	CONFIG_BAD,     /* why says what to change */
};

#define CONFIG_WHY_MAX 256

/*
 * Read the environment, then the command line, which is stronger.  The command
 * line is left alone if the environment has GATEWAY_INTERFACE: a web server
 * may put there what a client wrote after '?'.
 *   shape    vars is an environment: "NAME=value" strings, NULL at the end
 *   returns  see enum config_result; *c holds good for CONFIG_OK only
 *   owns     *c borrows from argv and vars
 *   source   RFC 3875, 4.4 "The Script Command-Line"
 */
enum config_result publisher_config_read(int argc, char **argv,
    const char *const *vars, struct publisher_config *c,
    char why[CONFIG_WHY_MAX]);

/* What --help prints. */
extern const char publisher_config_help[];

#endif
