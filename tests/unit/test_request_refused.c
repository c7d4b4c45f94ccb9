/*
 * request: each refusal, with its status and the words that tell the author of
 * a client what to change; and the neighbours that are accepted.
 */
#include "tap.h"

#include "fcgi/request.h"

#define ALLOW "Allow: GET, HEAD, OPTIONS"
#define TAKES_ID "\" takes the id of an event"
#define NO_UTF8 "\" must be percent-encoded UTF-8"
#define NO_NAME "\" takes at most 255 bytes"

/* The problem of a GET with this query and, unless NULL, this header. */
static struct problem
problem_of(const char *query, const char *header)
{
	static char query_var[2000];
	const char *vars[] = { "REQUEST_METHOD=GET", query_var, header, NULL };
	struct problem p = { .status = 0 };
	struct request r;

	(void)snprintf(query_var, sizeof(query_var), "QUERY_STRING=%s", query);
	if (request_parse(vars, &r, &p) == 0)
		request_free(&r);
	return p;
}

static bool
refuses(const char *query, const char *header, int status, const char *detail)
{
	struct problem p = problem_of(query, header);
	bool is_good = p.status == status && strstr(p.detail, detail) != NULL;

	if (!is_good)
		printf("# %d %s\n", p.status, p.detail);
	return is_good;
}

static void
check_methods(void)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH",
		"PROPFIND", "get", "", "GETS" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		char method[40];
		const char *const vars[] = { method, NULL };
		struct problem p = { .status = 0 };
		struct request r;

		(void)snprintf(method, sizeof(method), "REQUEST_METHOD=%s",
		    methods[i]);
		check(request_parse(vars, &r, &p) < 0 && p.status == 405 &&
			strstr(p.detail, "GET") != NULL &&
			strstr(p.detail, "rowcast-publish.cgi") != NULL &&
			p.header != NULL && strcmp(p.header, ALLOW) == 0,
		    "405: method '%s'", methods[i]);
	}
}

/* Is each of these values of a parameter refused with 400, in these words? */
static void
check_values(const char *name, const char *const *values, const char *words)
{
	for (; *values != NULL; values++) {
		char query[600], detail[100];

		(void)snprintf(query, sizeof(query), "x=1&%s=%s", name,
		    *values);
		(void)snprintf(detail, sizeof(detail), "The parameter \"%s%s",
		    name, words);
		check(refuses(query, NULL, 400, detail), "400: %s=%.40s", name,
		    *values);
	}
}

static void
check_starts(void)
{
	static const char *const names[] = { "last_event_id", "lastEventId",
		"since" };
	static const char *const values[] = { "nothing", "-1", "+1", "1.0",
		"0x10", "1a", "9223372036854775808", "last:", "last:0",
		"last:-1", "last:x", "Earliest", "2026-01-31",
		"2026-02-30T00:00:00Z", "2026-01-31T12:00:00",
		"2026-01-31T24:00:00Z", "yesterday", "%201", NULL };

	for (size_t i = 0; i < 3; i++)
		check_values(names[i], values, TAKES_ID);
	check(refuses("since=1", "HTTP_LAST_EVENT_ID=abc", 400,
		  "The header \"Last-Event-ID" TAKES_ID),
	    "400: Last-Event-ID: abc, even if the query has a good id");
}

static void
check_names(void)
{
	static char longer[257];
	static const char *const names[] = { "topic", "event", "hello" };
	static const char *const values[] = { longer, "a%0Ab", "a%0D", "%00",
		NULL };
	static const char *const reserved[] = { "stream-x", "a&hello=stream-b",
		NULL };
	char query[600];

	memset(longer, '0', 256);
	for (size_t i = 0; i < 3; i++)
		check_values(names[i], values, NO_NAME);
	check_values("hello", reserved, "\" takes an event name that does not");
	(void)snprintf(query, sizeof(query), "topic=%s*&topic=%s", longer + 1,
	    longer + 1);
	check(problem_of(query, NULL).status == 0,
	    "accepted: 255 bytes and the star of a prefix");
}

static void
check_encoding(void)
{
	static const char *const names[] = { "topic", "event", "hello", "since",
		"last_event_id", "lastEventId" };
	static const char *const values[] = { "%ff", "%zz", "%", "%c3%28",
		"%ed%a0%80", NULL };

	for (size_t i = 0; i < 6; i++)
		check_values(names[i], values, NO_UTF8);
	check(refuses("topic=a&topic=%ff", NULL, 400, "\"topic" NO_UTF8),
	    "400: a malformed parameter after a good one of the same name");
	check(refuses("%ff=1", NULL, 400, "name of a query parameter"),
	    "400: a malformed name of a parameter");
	check(problem_of("utm=%ff&_=%zz", NULL).status == 0,
	    "accepted: malformed values of unknown parameters");
}

/* Is a parameter accepted 64 times, but not 65 times? */
static bool
has_limit(const char *name)
{
	char query[1000], detail[100];
	size_t len = 0;
	bool is_accepted = false;

	for (int i = 1; i <= 65; i++) {
		if (i == 65)
			is_accepted = problem_of(query, NULL).status == 0;
		len += (size_t)snprintf(query + len, sizeof(query) - len,
		    "%s=t%d&", name, i);
	}
	(void)snprintf(detail, sizeof(detail),
	    "\"%s\" may be given at most 64 times", name);
	return is_accepted && refuses(query, NULL, 400, detail);
}

static void
check_accept(void)
{
	static const char *const bad[] = { "text/html",
		"text/html, application/json", "text/event-stream;q=0",
		"*/*;q=0", "text/*;q=0.0, */*", "text/event-streams" };
	static const char *const good[] = { "text/event-stream", "*/*",
		"text/*", "TEXT/Event-Stream",
		"text/html, text/event-stream;q=0.1", "text/html, */*;q=0.1",
		"" };
	char header[100];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(header, sizeof(header), "HTTP_ACCEPT=%s",
		    bad[i]);
		check(refuses("", header, 406, "\"Accept\""), "406: %s",
		    bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(header, sizeof(header), "HTTP_ACCEPT=%s",
		    good[i]);
		check(problem_of("", header).status == 0,
		    "accepted: Accept: %s", good[i]);
	}
	check(problem_of("", NULL).status == 0, "accepted: no Accept");
}

int
main(void)
{
	check_methods();
	check_starts();
	check_names();
	check_encoding();
	check(has_limit("topic"), "400: more than 64 topics");
	check(has_limit("event"), "400: more than 64 names");
	check_accept();
	return tap_end();
}
