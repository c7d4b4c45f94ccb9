#ifndef ROWCAST_RESPONDER_CONFIG_H
#define ROWCAST_RESPONDER_CONFIG_H

#include <sys/types.h>

#include "lib/cors.h"
#include "lib/options.h"

/*
 * The configuration of the responder; see the table in responder_config.c for
 * ranges and defaults.
 *   units    the name of a field ends in its unit
 *   owns     nothing: text borrows from the command line and the environment
 */
struct responder_config {
	const char *db;             /* path of the log */
	const char *socket;         /* PATH or HOST:PORT; NULL: descriptor 0 */
	mode_t socket_mode;         /* of a Unix socket */
	const char *web_servers;    /* addresses that may connect over TCP,
	                               separated by commas */
	int64_t keepalive_ms;       /* silence before a comment is sent */
	int64_t retry_ms;           /* reconnection time of clients */
	int64_t max_age_ms;         /* of a stream, +-20 % */
	int64_t stall_ms;           /* a stream without progress is closed */
	int64_t request_timeout_ms; /* for a request to arrive completely */
	int64_t poll_ms;            /* between looks at the log */
	int64_t shutdown_retry_ms;  /* longest retry: at shutdown */
	size_t max_streams;
	size_t tail_bytes;   /* newest events kept encoded */
	size_t replay_bytes; /* older pages kept encoded */
	struct cors cors;    /* pages of other sites that may read */
	bool use_syslog;
	bool no_sandbox;
};

/* Read the configuration; nothing is opened.  See options_read(). */
enum options_result responder_config_read(int argc, char **argv,
    const char *const *vars, struct responder_config *config,
    char why[OPTIONS_WHY_MAX]);

#endif
