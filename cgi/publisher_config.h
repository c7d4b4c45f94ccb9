#ifndef ROWCAST_PUBLISHER_CONFIG_H
#define ROWCAST_PUBLISHER_CONFIG_H

#include <sys/types.h>

#include "lib/cors.h"
#include "lib/options.h"

/*
 * The configuration of the publisher; see the table in publisher_config.c for
 * ranges and defaults.
 *   units    the name of a field ends in its unit
 *   owns     nothing: text borrows from the command line and the environment
 */
struct publisher_config {
	const char *db;          /* path of the log */
	bool no_sync;            /* do not fsync on commit */
	const char *socket;      /* PATH or HOST:PORT; NULL: descriptor 0 */
	mode_t socket_mode;      /* of a Unix socket */
	const char *web_servers; /* addresses that may connect over TCP,
	                            separated by commas */
	size_t max_connections;
	int64_t idle_ms; /* a body without a byte for this long is given up */
	size_t max_body_bytes;
	int busy_ms; /* wait for other writers */
	bool use_syslog;
	bool no_sandbox;
	const char *token; /* Bearer token that may publish; NULL: none */
	bool is_open;      /* everyone may publish */
	struct cors cors;  /* pages of other sites that may publish */
};

/* Read the configuration; nothing is opened.  See options_read(). */
enum options_result publisher_config_read(int argc, char **argv,
    const char *const *vars, struct publisher_config *config,
    char why[OPTIONS_WHY_MAX]);

#endif
