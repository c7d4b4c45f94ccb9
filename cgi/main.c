/*
 * rowcast-publish.cgi: one POST request → rows of the log.
 *
 * A plain CGI program, one process a request: method, access, body, append,
 * answer.  Each step either goes on or fills in the problem that is answered.
 * What a client is told names no path; the operator's line on standard error
 * does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/fcgi.h"
#include "../lib/form.h"
#include "../lib/log.h"
#include "../lib/warn.h"
#include "access.h"
#include "answer.h"
#include "body.h"
#include "config.h"
#include "cors.h"

#define PROGRAM "rowcast-publish.cgi"
#define DISCARD_MAX ((size_t)16 * 1024 * 1024) /* of a refused body */

/*
 * The one request.
 *   cors   header lines that go with any answer
 */
struct publish {
	struct config config;
	struct fcgi_request request;
	char cors[CORS_MAX];
	char *bytes;
	size_t len;
	bool is_read; /* whether the body was asked for */
	struct body body;
	struct log_receipt *receipts;
};

static const char *
var(const struct publish *r, const char *name)
{
	return form_var(r->request.vars, name);
}

/* ---- the body's bytes ---- */

static int
read_length(const struct publish *r, size_t *len, struct problem *p)
{
	const char *text = var(r, "CONTENT_LENGTH");
	size_t max = r->config.max_body_bytes;
	size_t n = 0;

	if (text == NULL || text[0] == '\0') {
		problem_set(p, 411,
		    "Send a Content-Length: a body of unknown "
		    "length (Transfer-Encoding: chunked) is not taken.");
		return -1;
	}
	if (text[strspn(text, "0123456789")] != '\0') {
		problem_set(p, 400, "Content-Length is not a number.");
		return -1;
	}
	for (; *text != '\0' && n <= max; text++)
		n = n * 10 + (size_t)(*text - '0');
	if (n > max) {
		problem_set(p, 413, "The body is larger than %zu bytes.", max);
		return -1;
	}
	*len = n;
	return 0;
}

static int
read_bytes(struct publish *r, struct problem *p)
{
	size_t wanted, got = 0;

	if (read_length(r, &wanted, p) != 0)
		return -1;
	r->bytes = malloc(wanted + 1); /* never 0, which may give NULL */
	if (r->bytes == NULL) {
		problem_set(p, 503, "Memory is short.  Nothing was stored.");
		p->retry_s = 1;
		return -1;
	}
	r->is_read = true;
	while (got < wanted) {
		ssize_t n = fcgi_cgi_read(r->bytes + got, wanted - got);

		if (n <= 0) {
			problem_set(p, 400,
			    "The body ended after %zu of %zu "
			    "bytes.  Nothing was stored.",
			    got, wanted);
			return -1;
		}
		got += (size_t)n;
	}
	r->len = got;
	return 0;
}

/*
 * Web servers that are still sending the body when the answer comes drop the
 * answer.  Up to a bound: who sends more than that may lose it.
 */
static void
discard_body(const struct publish *r)
{
	const char *length = var(r, "CONTENT_LENGTH");
	unsigned long long left;
	char scratch[4096];

	if (r->is_read || length == NULL)
		return;
	left = strtoull(length, NULL, 10); /* 0 if it is no number */
	if (left > DISCARD_MAX)
		left = DISCARD_MAX;
	while (left > 0) {
		ssize_t got = fcgi_cgi_read(scratch,
		    left < sizeof(scratch) ? (size_t)left : sizeof(scratch));

		if (got <= 0)
			return;
		left -= (unsigned long long)got;
	}
}

/* ---- the log ---- */

/* The reason without SQLite's preamble: our constraints are named in words. */
static const char *
refusal(const char *why)
{
	static const char preamble[] = "CHECK constraint failed: ";
	size_t len = sizeof(preamble) - 1;

	return strncmp(why, preamble, len) == 0 ? why + len : why;
}

static void
refuse_event(const struct publish *r, size_t culprit, const char *why,
    struct problem *p)
{
	if (r->body.is_array)
		problem_set(p, 422,
		    "The event at index %zu of the array is "
		    "refused: %s.  Nothing was stored.",
		    culprit, refusal(why));
	else
		problem_set(p, 422, "The event is refused: %s.", refusal(why));
}

/* What the client is told of trouble with the log, and the operator. */
static int
refuse_log(const struct publish *r, enum log_result result, const char *why,
    struct problem *p)
{
	switch (result) {
	case LOG_BUSY:
		problem_set(p, 503,
		    "Others kept the log locked.  Nothing was "
		    "stored; send it again.");
		p->retry_s = 1;
		break;
	case LOG_FULL:
		problem_set(p, 507,
		    "There is no space left for the log.  "
		    "Nothing was stored.");
		break;
	default:
		problem_set(p, 500,
		    "The log cannot be written; the web "
		    "server's error log has the reason.  Nothing was stored.");
		break;
	}
	warn_line("log: %s: %s", r->config.db, why);
	return -1;
}

static int
append_events(struct publish *r, struct log *log, struct problem *p)
{
	size_t n = r->body.n_events, culprit = 0;
	enum log_result result;

	r->receipts = calloc(n, sizeof(*r->receipts));
	if (r->receipts == NULL)
		return refuse_log(r, LOG_NO_MEMORY, strerror(errno), p);
	result = log_append(log, r->body.events, n, r->receipts, &culprit);
	if (result == LOG_OK)
		return 0;
	if (result != LOG_REFUSED)
		return refuse_log(r, result, log_why(log), p);
	refuse_event(r, culprit, log_why(log), p);
	return -1;
}

static int
append(struct publish *r, struct problem *p)
{
	const struct log_options options = {
		.path = r->config.db,
		.create = true,
		.append = true,
		.busy_ms = r->config.busy_ms,
	};
	enum log_result result;
	struct log *log;
	char why[LOG_WHY_MAX];
	int appended;

	result = log_open(&options, &log, why);
	if (result != LOG_OK)
		return refuse_log(r, result, why, p);
	appended = append_events(r, log, p);
	log_close(log);
	return appended;
}

/* ---- the request ---- */

static int
check_method(const char *method, struct problem *p)
{
	if (strcmp(method, "POST") == 0)
		return 0;
	problem_set(p, 405, "To publish, send a POST request.");
	p->header = ANSWER_ALLOW;
	return -1;
}

static int
check_access(const struct publish *r, struct problem *p)
{
	const struct access_rules rules = {
		.token = r->config.token,
		.is_open = r->config.is_open,
	};

	return access_check(&rules, var(r, "REMOTE_USER"), var(r, "AUTH_TYPE"),
	    var(r, "HTTP_AUTHORIZATION"), p);
}

/*
 * A form on another site can make a browser that is logged in here send a
 * request, which no preflight precedes.
 *   source   Fetch Metadata Request Headers, 2.3
 */
static int
check_site(const struct publish *r, bool is_allowed, struct problem *p)
{
	const char *site = var(r, "HTTP_SEC_FETCH_SITE");

	if (is_allowed || site == NULL || strcmp(site, "cross-site") != 0)
		return 0;
	problem_set(p, 403,
	    "Pages of other sites may publish only if their origin is in "
	    "ROWCAST_CORS_ORIGINS.");
	return -1;
}

static int
parse(struct publish *r, struct problem *p)
{
	return body_parse(var(r, "CONTENT_TYPE"), var(r, "QUERY_STRING"),
	    r->bytes, r->len, &r->body, p);
}

static int
publish(struct publish *r, const char *method)
{
	struct problem p;
	bool is_allowed;

	is_allowed = cors_write(r->config.origins, r->config.n_origins,
	    var(r, "HTTP_ORIGIN"), r->cors);
	if (strcmp(method, "OPTIONS") == 0)
		return answer_options(r->cors, is_allowed);
	if (check_method(method, &p) != 0 || check_access(r, &p) != 0 ||
	    check_site(r, is_allowed, &p) != 0 || read_bytes(r, &p) != 0 ||
	    parse(r, &p) != 0 || append(r, &p) != 0) {
		discard_body(r);
		return answer_problem(r->cors, &p);
	}
	return answer_receipts(r->cors, r->receipts, r->body.n_events,
	    r->body.is_array);
}

static void
publish_free(struct publish *r)
{
	free(r->receipts);
	body_free(&r->body);
	free(r->bytes);
	fcgi_request_free(&r->request);
}

/* Not set up: a web server's client is told that, the operator what to do. */
static int
complain(const char *method, const char *why)
{
	struct problem p;

	warn_line("config: %s", why);
	if (method == NULL)
		return -1;
	problem_set(&p, 500,
	    "Publishing is not set up correctly; the web "
	    "server's error log has the reason.");
	(void)answer_problem("", &p); /* it has warned already */
	return -1;
}

static int
serve(int argc, char **argv)
{
	struct publish r = { 0 };
	const char *method;
	char why[CONFIG_WHY_MAX];
	int result;

	fcgi_cgi_request(&r.request);
	method = var(&r, "REQUEST_METHOD");
	switch (config_read(argc, argv, r.request.vars, &r.config, why)) {
	case CONFIG_OK:
		break;
	case CONFIG_HELP:
		return answer_text(config_help, strlen(config_help));
	case CONFIG_VERSION:
		return answer_text(PROGRAM " " ROWCAST_VERSION "\n",
		    sizeof(PROGRAM " " ROWCAST_VERSION "\n") - 1);
	case CONFIG_BAD:
		return complain(method, why);
	}
	if (method == NULL)
		return complain(method,
		    "REQUEST_METHOD is not set: this is a "
		    "CGI program, for a web server to start");
	result = publish(&r, method);
	publish_free(&r);
	return result;
}

int
main(int argc, char **argv)
{
	warn_open(PROGRAM, false);
	if (fcgi_is_spawned()) {
		warn_line("config: descriptor 0 is a listening socket, but "
			  "this program runs as CGI, not as FastCGI");
		return EXIT_FAILURE;
	}
	return serve(argc, argv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
