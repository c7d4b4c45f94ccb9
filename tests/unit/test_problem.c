/*
 * problem: a refusal as CGI response with application/problem+json.
 */
#include "tap.h"

#include "lib/problem.h"
#include "lib/utf8.h"

static char out[PROBLEM_MAX + 100];

static bool
out_has(const char *s)
{
	return strstr(out, s) != NULL;
}

static const char *
body(void)
{
	const char *blank = strstr(out, "\r\n\r\n");

	return blank != NULL ? blank + 4 : "";
}

static void
check_plain(void)
{
	struct problem p;
	size_t len, promised = 0;
	const char *field;

	problem_set(&p, 400, "The parameter \"%s\" takes %d.", "since", 1);
	check(strcmp(p.detail, "The parameter \"since\" takes 1.") == 0,
	    "the detail is formatted");
	check(p.status == 400 && p.retry_s == 0 && p.header == NULL,
	    "status set, retry and header cleared");
	len = problem_write(&p, "", out, sizeof out);
	check(len > 0 && len == strlen(out), "the length is returned");
	check(strncmp(out, "Status: 400 Bad Request\r\n", 25) == 0,
	    "Status comes first");
	check(out_has("\r\nContent-Type: application/problem+json\r\n"),
	    "Content-Type");
	check(out_has("\r\nCache-Control: no-store\r\n"), "Cache-Control");
	field = strstr(out, "\r\nContent-Length: ");
	if (field != NULL)
		promised = strtoul(field + 18, NULL, 10);
	check(promised == strlen(body()), "Content-Length is the body's");
	check(strncmp(body(),
		  "{\"type\":\"about:blank\",\"title\":\"Bad Request\","
		  "\"status\":400,\"detail\":"
		  "\"The parameter \\\"since\\\" takes 1.\"}",
		  strlen(body()) - 1) == 0,
	    "the body is the object of RFC 9457");
	check(!out_has("Retry-After"), "no Retry-After unless asked");
}

static void
check_headers(void)
{
	struct problem p;

	problem_set(&p, 405, "No.");
	p.header = "Allow: GET";
	p.retry_s = 7;
	(void)problem_write(&p, "Vary: Origin\r\nX: y\r\n", out, sizeof out);
	check(out_has("\r\nAllow: GET\r\n"), "the problem's header line");
	check(out_has("\r\nRetry-After: 7\r\n"), "Retry-After");
	check(out_has("\r\nVary: Origin\r\nX: y\r\n\r\n{"),
	    "extra lines, then the blank one");
}

static void
check_escapes(void)
{
	struct problem p;

	problem_set(&p, 500, "a\"b\\c\n\x01\x1f\xc3\xa4");
	(void)problem_write(&p, "", out, sizeof out);
	check(out_has("\"a\\\"b\\\\c\\u000a\\u0001\\u001f\xc3\xa4\""),
	    "quotes, backslashes and control characters are escaped");
	problem_set(&p, 500, "x\r\nSet-Cookie: y\r\n\r\n");
	(void)problem_write(&p, "", out, sizeof out);
	check(!out_has("\nSet-Cookie"), "a detail forges no header line");
}

static void
check_limits(void)
{
	struct problem p;
	char exact[sizeof p.detail], longer[1000];
	bool is_good = true;
	size_t len;

	memset(exact, 'x', sizeof exact - 1);
	exact[sizeof exact - 1] = '\0';
	problem_set(&p, 400, "%s", exact);
	check(strcmp(p.detail, exact) == 0, "a detail that just fits");
	for (size_t i = 0; i < 4; i++) {
		/* The cut falls on each byte of a four-byte character. */
		memset(longer, 'x', sizeof longer);
		memcpy(longer + sizeof p.detail - 1 - i, "\xf0\x9f\x98\x80", 4);
		longer[sizeof longer - 1] = '\0';
		problem_set(&p, 400, "%s", longer);
		len = strlen(p.detail);
		is_good = is_good && len == sizeof p.detail - 1 - i &&
		    utf8_is_valid((struct text){ p.detail, len });
	}
	check(is_good, "a longer one is cut at a character boundary");
	problem_set(&p, 400, "why");
	problem_set(&p, 400, "again: %s", p.detail);
	check(strcmp(p.detail, "again: why") == 0,
	    "the old detail may go into the new one");

	memset(exact, '\x01', sizeof exact - 1);
	problem_set(&p, 599, "%s", exact);
	p.header = "Allow: GET, HEAD, OPTIONS";
	p.retry_s = 2147483647;
	len = problem_write(&p, "", out, PROBLEM_MAX);
	check(len > 0 && len < PROBLEM_MAX,
	    "the longest problem fits in PROBLEM_MAX");
	check(problem_write(&p, "", out, len + 1) == len,
	    "a buffer that just holds it and a NUL");
	check(problem_write(&p, "", out, len) == 0, "one byte less: 0");
}

static void
check_reasons(void)
{
	static const int used[] = { 400, 401, 403, 405, 406, 413, 415, 422, 500,
		503, 507 };
	bool is_known = true;

	for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
		is_known =
		    is_known && strcmp(problem_reason(used[i]), "Error") != 0;
	check(is_known, "each status that is used has its reason");
	check(strcmp(problem_reason(599), "Error") == 0, "unknown: Error");
}

int
main(void)
{
	check_plain();
	check_headers();
	check_escapes();
	check_limits();
	check_reasons();
	return tap_end();
}
