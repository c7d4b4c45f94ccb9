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

/*
 * Report a wrong configuration to the operator, and answer 500 to the client
 * of a CGI request.  Returns the exit status.
 */
static int
refuse(bool is_cgi, enum options_result status, const char *why)
{
	struct problem p;
	char *answer;
	size_t len;

	warn_line("config: %s", why);
	if (!is_cgi)
		return (int)status;
	problem_set(&p, 500,
	    "Publishing is not set up correctly; the web "
	    "server's error log has the reason.");
	answer = answer_problem("", &p, NULL, &len);
	if (answer != NULL)
		(void)plain_write(answer, len); /* it has warned already */
	free(answer);
	return (int)status;
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
	enum options_result result;
	char why[OPTIONS_WHY_MAX];

	warn_open(PROGRAM, false);
	result = publisher_config_read(argc, argv, vars, &config, why);
	if (result == OPTIONS_SHOWN)
		return EXIT_SUCCESS;
	if (result != OPTIONS_OK)
		return refuse(is_cgi, result, why);
	if (is_cgi)
		return plain_serve(&config) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (config.socket != NULL || libfcgi_is_spawned())
		return serve_many(&config);
	return refuse(false, OPTIONS_BAD,
	    "no web server has started this program: give --socket PATH to"
	    " listen there (--help)");
}
