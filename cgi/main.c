/*
 * rowcast-publish.cgi: POST requests → rows of the log.
 *
 * Wiring only: how it was started says whether it serves one request as a CGI
 * program or many as a FastCGI responder.
 */
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>
#include <unistd.h>

#include "lib/fastcgi/libfcgi.h"
#include "lib/form.h"
#include "lib/warn.h"
#include "answer.h"
#include "publisher_config.h"
#include "plain.h"
#include "server.h"

#define PROGRAM "rowcast-publish.cgi"
#define KEEP_BYTES 8388608

static int
show(const char *text)
{
	return plain_write(text, strlen(text)) == 0 ? EXIT_SUCCESS :
						      EXIT_FAILURE;
}

/* Not set up: a web server's client is told that, the operator what to do. */
static int
complain(bool is_cgi, const char *why)
{
	struct problem p;
	char *answer;
	size_t len;

	warn_line("config: %s", why);
	if (!is_cgi)
		return EXIT_FAILURE;
	problem_set(&p, 500,
	    "Publishing is not set up correctly; the web "
	    "server's error log has the reason.");
	answer = answer_problem("", &p, &len);
	if (answer != NULL)
		(void)plain_write(answer, len); /* it has warned already */
	free(answer);
	return EXIT_FAILURE;
}

/*
 * What a group of requests takes is freed with its answers and taken again with
 * the next: without this, glibc gives it back to the kernel in between, which
 * is two system calls for each request.
 */
static void
keep_memory(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
#endif
}

static int
serve_many(const struct publisher_config *config)
{
	warn_open(PROGRAM, config->use_syslog);
	keep_memory();
	return server_run(config) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const char *const *vars = (const char *const *)environ;
	bool is_cgi = form_var(vars, "REQUEST_METHOD") != NULL;
	struct publisher_config config;
	char why[CONFIG_WHY_MAX];

	warn_open(PROGRAM, false);
	switch (publisher_config_read(argc, argv, vars, &config, why)) {
	case CONFIG_OK:
		break;
	case CONFIG_HELP:
		return show(publisher_config_help);
	case CONFIG_VERSION:
		return show(PROGRAM " " ROWCAST_VERSION "\n");
	case CONFIG_BAD:
		return complain(is_cgi, why);
	}
	if (is_cgi)
		return plain_serve(&config) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (config.socket != NULL || libfcgi_is_spawned())
		return serve_many(&config);
	return complain(false,
	    "REQUEST_METHOD is not set: this is a program for a web server to "
	    "start, as CGI or FastCGI, or to be given a --socket (--help)");
}
