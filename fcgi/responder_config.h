#ifndef ROWCAST_RESPONDER_CONFIG_H
#define ROWCAST_RESPONDER_CONFIG_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How the responder is to run: command line over environment over defaults,
 * checked before anything is opened.  Text is lent by argv and the
 * environment.
 */
struct responder_config {
	const char *db;             /* path of the log */
	const char *socket;         /* PATH or HOST:PORT; NULL: descriptor 0 */
	mode_t socket_mode;         /* of a socket at a path */
	const char *web_servers;    /* addresses that may connect over TCP,
	                              separated by commas */
	int64_t keepalive_ms;       /* silence before a comment is sent */
	int64_t retry_ms;           /* reconnection time told to clients */
	int64_t max_age_ms;         /* of a stream, +-20 % */
	int64_t stall_ms;           /* without progress, then it is closed */
	int64_t request_timeout_ms; /* for a request to come in whole */
	int64_t poll_ms;            /* looks at the log without a file event */
	int64_t shutdown_retry_ms;  /* upper bound of retry: at shutdown */
	size_t max_streams;
	size_t tail_bytes;         /* newest events kept encoded */
	size_t replay_bytes;       /* older pages kept encoded */
	const char **cors_origins; /* NULL at the end; owned */
	bool cors_any;             /* "*" was one of them */
	bool use_syslog;
	bool no_sandbox;
};

enum config_result {
	CONFIG_OK,
	CONFIG_EXIT, /* --help or --version were answered on stdout */
	CONFIG_BAD,  /* why holds one line that names the option */
};

#define CONFIG_WHY_MAX 256

/*
 *   shape    argv as main() has it; variables of the environment that count
 *            are the options' names: --keepalive-s is ROWCAST_KEEPALIVE_S
 *   owns     on CONFIG_OK end with responder_config_free()
 */
enum config_result responder_config_read(int argc, char **argv,
    struct responder_config *config, char why[CONFIG_WHY_MAX]);
void responder_config_free(struct responder_config *config);

#endif
