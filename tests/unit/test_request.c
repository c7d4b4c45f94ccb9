/*
 * request: what a client asks for, or why it is refused.
 * Tables of inputs; times are compared with what strftime() writes for random
 * moments.
 */
#include "tap.h"

#include "fcgi/accept.h"
#include "fcgi/request.h"

/* So many that a value with them is longer than any that makes sense. */
#define ZEROS "000000000000000000000000000000000000000000000000000000000000000"

static struct request r;
static struct problem p;

/* Parse a GET with this query and, unless NULL, one more variable. */
static int
parse(const char *query, const char *more)
{
	static char query_var[16384];
	const char *vars[] = { "REQUEST_METHOD=GET", query_var, more, NULL };

	(void)snprintf(query_var, sizeof query_var, "QUERY_STRING=%s", query);
	memset(&p, 0, sizeof p);
	return request_parse(vars, &r, &p);
}

/* Is this accepted, starting there? */
static bool
starts(const char *query, const char *header, enum start start, int64_t value)
{
	bool is_good = parse(query, header) == 0 && r.start == start &&
	    r.value == value && r.filter != NULL;

	request_free(&r);
	return is_good;
}

/* Is this refused with a status and a detail that names the parameter? */
static bool
refuses(const char *query, const char *more, int status, const char *name)
{
	int result = parse(query, more);

	if (result == 0)
		request_free(&r);
	return result < 0 && p.status == status &&
	    strstr(p.detail, name) != NULL && r.filter == NULL &&
	    r.query == NULL;
}

static void
check_methods(void)
{
	const char *get[] = { "REQUEST_METHOD=GET", NULL };
	const char *head[] = { "REQUEST_METHOD=HEAD", NULL };
	const char *options[] = { "REQUEST_METHOD=OPTIONS",
		"QUERY_STRING=since=nonsense&hello=x", "HTTP_ACCEPT=a/b",
		"HTTP_ORIGIN=https://a.example", NULL };
	const char *refused[][2] = { { "REQUEST_METHOD=POST", NULL },
		{ "REQUEST_METHOD=get", NULL }, { "REQUEST_METHOD=", NULL },
		{ "OTHER=GET", NULL } };

	check(request_parse(get, &r, &p) == 0 && r.method == REQUEST_GET &&
		r.start == START_NOW && r.value == 0 && r.hello.len == 0 &&
		r.origin[0] == '\0' && filter_is_all(r.filter),
	    "GET and nothing else: everything, from now");
	request_free(&r);
	check(request_parse(head, &r, &p) == 0 && r.method == REQUEST_HEAD,
	    "HEAD");
	request_free(&r);
	check(request_parse(options, &r, &p) == 0 &&
		r.method == REQUEST_OPTIONS && r.start == START_NOW &&
		r.hello.len == 0 && filter_is_all(r.filter) &&
		strcmp(r.origin, "https://a.example") == 0,
	    "OPTIONS: only the origin is read");
	request_free(&r);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		check(request_parse(refused[i], &r, &p) < 0 &&
			p.status == 405 && p.header != NULL &&
			strcmp(p.header, "Allow: GET, HEAD, OPTIONS") == 0,
		    "405 with Allow: %s", refused[i][0]);
}

static void
check_starts(void)
{
	static const struct {
		const char *value;
		enum start start;
		int64_t number;
	} good[] = {
		{ "0", START_AFTER, 0 },
		{ "42", START_AFTER, 42 },
		{ "007", START_AFTER, 7 },
		{ "9223372036854775807", START_AFTER, INT64_MAX },
		{ "earliest", START_EARLIEST, 0 },
		{ "last:1", START_LAST, 1 },
		{ "last:9223372036854775807", START_LAST, INT64_MAX },
		{ "", START_NOW, 0 },
	};
	static const char *const bad[] = { "9223372036854775808",
		"99999999999999999999", "-1", "%2b1", "+1", " 1", "1 ", "1x",
		"0x10", "1.0", "1e3", "last:", "last:0", "last:-1", "last:+1",
		"last: 1", "last:1x", "last:9223372036854775808", "last",
		"LAST:1", "Earliest", "earliest ", "now", "%00", "1%00", "1%0a",
		"earliest%00", "%e2%80%8b1" };
	char text[200];

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		(void)snprintf(text, sizeof text, "since=%s", good[i].value);
		check(starts(text, NULL, good[i].start, good[i].number),
		    "start taken: '%s'", good[i].value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(text, sizeof text, "since=%s", bad[i]);
		check(refuses(text, NULL, 400, "since"), "start refused: '%s'",
		    bad[i]);
	}
}

static void
check_precedence(void)
{
	check(starts("last_event_id=1&lastEventId=2&since=3",
		  "HTTP_LAST_EVENT_ID=4", START_AFTER, 4),
	    "the header counts more than the query");
	check(starts("since=3&lastEventId=2&last_event_id=1",
		  "HTTP_LAST_EVENT_ID=", START_AFTER, 1),
	    "an empty header is none; last_event_id counts most");
	check(starts("since=3&lastEventId=2", NULL, START_AFTER, 2),
	    "lastEventId counts more than since");
	check(starts("last_event_id=&since=3", NULL, START_AFTER, 3),
	    "an empty parameter is none");
	check(starts("since=3&since=4", NULL, START_AFTER, 3),
	    "of a repeated one the first");
	check(starts("since=&since=4", NULL, START_AFTER, 4),
	    "of a repeated one the first that is not empty");
	check(starts("", "HTTP_LAST_EVENT_ID=last:5", START_LAST, 5),
	    "the header takes all forms");
	check(refuses("since=1", "HTTP_LAST_EVENT_ID=x", 400, "Last-Event-ID"),
	    "a header that is refused is named, and nothing else is tried");
	check(refuses("last_event_id=x&since=1", NULL, 400, "last_event_id"),
	    "last_event_id is named");
	check(refuses("lastEventId=x", NULL, 400, "lastEventId"),
	    "lastEventId is named");
	check(starts("since=x", "HTTP_LAST_EVENT_ID=9", START_AFTER, 9),
	    "a start that does not count is not read");
}

static const struct {
	const char *value;
	int64_t ms;
} good_times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2026-08-01T12:34:56Z", 1785587696000 },
	{ "2026-08-01t12:34:56z", 1785587696000 },
	{ "2026-08-01%2012:34:56Z", 1785587696000 },
	{ "2026-08-01T12:34:56.7Z", 1785587696700 },
	{ "2026-08-01T12:34:56.789Z", 1785587696789 },
	{ "2026-08-01T12:34:56.789999999Z", 1785587696789 },
	{ "2026-08-01T12:34:56.0009Z", 1785587696000 },
	{ "2026-08-01T14:34:56%2B02:00", 1785587696000 },
	{ "2026-08-01T14:34:56+02:00", 1785587696000 },
	{ "2026-08-01T14:34:56.5+02:00", 1785587696500 },
	{ "2026-08-01T07:04:56-05:30", 1785587696000 },
	{ "2026-08-01T12:34:56-00:00", 1785587696000 },
	{ "2026-08-02T12:33:56%2B23:59", 1785587696000 },
	{ "2024-02-29T00:00:00Z", 1709164800000 },
	{ "2000-02-29T00:00:00Z", 951782400000 },
	{ "2016-12-31T23:59:60Z", 1483228800000 },
	{ "2016-12-31T23:59:60.5Z", 1483228800500 },
	{ "2016-12-31T15:59:60-08:00", 1483228800000 },
	{ "1969-12-31T23:59:59Z", 0 },
	{ "1969-12-31T23:59:59.999Z", 0 },
	{ "0000-01-01T00:00:00Z", 0 },
	{ "9999-12-31T23:59:59Z", 253402300799000 },
};

static const char *const bad_times[] = { "2026-08-01", "2026-08-01T12:34:56",
	"2026-08-01T12:34Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
	"2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z",
	"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-08-01T24:00:00Z",
	"2026-08-01T12:60:00Z", "2026-08-01T12:34:61Z", "2026-08-01T12:34:60Z",
	"2016-12-31T23:59:60-08:00", "2026-08-01T12:34:56.Z",
	"2026-08-01T12:34:56,5Z", "2026-08-01T12:34:56.5",
	"2026-08-01T12:34:56Zx", "2026-08-01T12:34:56Z%20",
	"2026-08-01T12:34:56Z%00", "2026-08-01T12:34:56%2B24:00",
	"2026-08-01T12:34:56%2B02:60", "2026-08-01T12:34:56%2B0200",
	"2026-08-01T12:34:56%2B02", "2026-08-01T12:34:56%2B02:00x",
	"2026-08-01T12:34:56%2B02:000", "2026-08-01T12:34:56%2B%2B2:00",
	"2026-8-01T12:34:56Z", "26-08-01T12:34:56Z", "12026-08-01T12:34:56Z",
	"2026-08-01%20%2012:34:56Z", "2026-08-01T%202:34:56Z",
	"2026-08-01T%2b2:34:56Z", "%202026-08-01T12:34:56Z",
	"-026-08-01T12:34:56Z", "2026-08-01_12:34:56Z",
	"2026/08/01T12:34:56Z" };

static void
check_times(void)
{
	char text[200];

	for (size_t i = 0; i < sizeof good_times / sizeof good_times[0]; i++) {
		(void)snprintf(text, sizeof text, "since=%s",
		    good_times[i].value);
		check(starts(text, NULL, START_SINCE, good_times[i].ms),
		    "time taken: %s", good_times[i].value);
	}
	for (size_t i = 0; i < sizeof bad_times / sizeof bad_times[0]; i++) {
		(void)snprintf(text, sizeof text, "since=%s", bad_times[i]);
		check(refuses(text, NULL, 400, "since"), "time refused: %s",
		    bad_times[i]);
	}
	check(refuses("since=" ZEROS "1", NULL, 400, "since"),
	    "start refused: too many zeros");
	check(refuses("since=2026-08-01T12:34:56." ZEROS "Z", NULL, 400,
		  "since"),
	    "time refused: too many decimals");
	check(starts("", "HTTP_LAST_EVENT_ID=2026-08-01T14:34:56+02:00",
		  START_SINCE, 1785587696000),
	    "a time in the header");
}

/* Random moments, written by strftime() at a random offset. */
static bool
times_agree_with_strftime(void)
{
	for (int i = 0; i < 20000; i++) {
		/* 1970 to 9999, but for a day that the offset may need. */
		time_t day = 1 + (time_t)tap_random(2932890);
		time_t t = day * 86400 + (time_t)tap_random(86400);
		int offset = (int)tap_random(2 * 1440 - 1) - 1439;
		int ms = (int)tap_random(1000);
		time_t local = t + (time_t)offset * 60;
		struct tm tm;
		char date[40], text[200];

		(void)gmtime_r(&local, &tm);
		(void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
		(void)snprintf(text, sizeof text, "since=%s.%03d%s%02d:%02d",
		    date, ms, offset < 0 ? "-" : "%2B", abs(offset) / 60,
		    abs(offset) % 60);
		if (!starts(text, NULL, START_SINCE, (int64_t)t * 1000 + ms))
			return false;
	}
	return true;
}

static void
check_topics(void)
{
	const struct pattern *patterns;
	size_t n;

	check(parse("topic=a&topic=b%2F*&event=x&event=", NULL) == 0 &&
		filter_has_topic(r.filter, TEXT("a")) &&
		filter_has_topic(r.filter, TEXT("b/c")) &&
		!filter_has_topic(r.filter, TEXT("b")) &&
		filter_has_name(r.filter, TEXT("x")) &&
		filter_has_name(r.filter, TEXT("")) &&
		!filter_has_name(r.filter, TEXT("y")),
	    "topics, prefixes and names");
	request_free(&r);
	check(parse("topic=*", NULL) == 0 && filter_is_all(r.filter),
	    "a star alone: every topic");
	request_free(&r);
	check(parse("topic=", NULL) == 0 && filter_is_exact(r.filter) &&
		filter_has_topic(r.filter, TEXT("")) &&
		!filter_has_topic(r.filter, TEXT("a")),
	    "topic= is the empty topic");
	request_free(&r);
	check(parse("topic=a*b&topic=c**", NULL) == 0 &&
		filter_has_topic(r.filter, TEXT("a*b")) &&
		!filter_has_topic(r.filter, TEXT("aab")) &&
		filter_has_topic(r.filter, TEXT("c*d")) &&
		!filter_has_topic(r.filter, TEXT("cd")),
	    "only the last star is one");
	request_free(&r);
	check(parse("event=x*", NULL) == 0 &&
		filter_has_name(r.filter, TEXT("x*")) &&
		!filter_has_name(r.filter, TEXT("xy")),
	    "a star in a name is a star");
	request_free(&r);
	check(parse("event=stream-gap", NULL) == 0,
	    "event= may name one of ours");
	request_free(&r);
	check(parse("Topic=a&_=1&x=%zz&topics=b", NULL) == 0 &&
		filter_patterns(r.filter, &n) != NULL &&
		filter_is_all(r.filter),
	    "unknown parameters are ignored, malformed or not");
	request_free(&r);
	check(parse("to%70ic=a", NULL) == 0 &&
		(patterns = filter_patterns(r.filter, &n)) != NULL && n == 1 &&
		text_equal(patterns[0].text, TEXT("a")),
	    "names of parameters are decoded");
	request_free(&r);
}

static void
check_refused_names(void)
{
	static const char *const bad[] = { "a%0ab", "a%0d", "%00", "a%00b", "%",
		"%4", "%zz", "%ff", "%c0%80", "%ed%a0%80", "\xff" };
	static const char *const parameters[] = { "topic", "event", "hello" };
	char text[100];

	for (size_t k = 0; k < 3; k++)
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
			(void)snprintf(text, sizeof text, "%s=%s",
			    parameters[k], bad[i]);
			check(refuses(text, NULL, 400, parameters[k]),
			    "refused: %s, case %zu", parameters[k], i);
		}
	check(refuses("since=%zz", "HTTP_LAST_EVENT_ID=1", 400, "since"),
	    "a start that is malformed is refused, even if it does not count");
	check(refuses("topi%zz=a", NULL, 400, "query parameter"),
	    "a name that cannot be read is refused");
	check(refuses("hello=stream-gap", NULL, 400, "hello"),
	    "hello takes none of our names");
	check(refuses("hello=a&hello=stream-", NULL, 400, "hello"),
	    "nor does a second hello");
}

/* "name=xxx…" with len bytes and an end, in static storage. */
static const char *
long_value(const char *name, size_t len, const char *end)
{
	static char text[400];
	size_t begin;

	(void)snprintf(text, sizeof text, "%s=", name);
	begin = strlen(text);
	memset(text + begin, 'x', len);
	(void)snprintf(text + begin + len, sizeof text - begin - len, "%s",
	    end);
	return text;
}

/* "name=0&name=1&…", n times, in static storage. */
static const char *
repeated(const char *name, int n)
{
	static char text[4000];
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s=%d&",
		    name, i);
	return text;
}

static bool
accepts(const char *query)
{
	int result = parse(query, NULL);

	request_free(&r);
	return result == 0;
}

static void
check_limits(void)
{
	check(accepts(long_value("topic", 255, "")), "a topic of 255 bytes");
	check(accepts(long_value("topic", 255, "*")), "a prefix of 255 bytes");
	check(refuses(long_value("topic", 256, ""), NULL, 400, "topic"),
	    "a topic of 256 bytes is refused");
	check(refuses(long_value("topic", 256, "*"), NULL, 400, "topic"),
	    "a prefix of 256 bytes is refused");
	check(accepts(long_value("event", 255, "")), "a name of 255 bytes");
	check(refuses(long_value("event", 256, ""), NULL, 400, "event"),
	    "a name of 256 bytes is refused");
	check(refuses(long_value("hello", 256, ""), NULL, 400, "hello"),
	    "a hello of 256 bytes is refused");
	check(accepts(repeated("topic", FILTER_TOPICS_MAX)),
	    "as many topics as may be");
	check(refuses(repeated("topic", FILTER_TOPICS_MAX + 1), NULL, 400,
		  "topic"),
	    "one more is refused");
	check(accepts(repeated("event", FILTER_NAMES_MAX)),
	    "as many names as may be");
	check(refuses(repeated("event", FILTER_NAMES_MAX + 1), NULL, 400,
		  "event"),
	    "one more is refused");
}

static void
check_lent_texts(void)
{
	check(parse("hello=connect%74ime&hello=other",
		  "HTTP_ORIGIN=https://a.example:8443") == 0 &&
		text_equal(r.hello, TEXT("connecttime")) &&
		strcmp(r.origin, "https://a.example:8443") == 0,
	    "the first hello, and the origin");
	request_free(&r);
	check(r.filter == NULL && r.query == NULL && r.hello.len == 0,
	    "nothing is left after freeing");
	request_free(&r);
	check(parse("hello=", NULL) == 0 && r.hello.len == 0,
	    "an empty hello is none");
	request_free(&r);
}

static void
check_accept(void)
{
	static const struct {
		const char *header;
		enum accept expected;
	} cases[] = {
		{ "", ACCEPT_ANY },
		{ " , ,", ACCEPT_ANY },
		{ "text/event-stream", ACCEPT_NAME },
		{ "TEXT/Event-Stream", ACCEPT_NAME },
		{ "*/*", ACCEPT_ANY },
		{ "text/*", ACCEPT_ANY },
		{ "text/html, */*;q=0.1", ACCEPT_ANY },
		{ "text/html,application/json", ACCEPT_NOT },
		{ "text/event-streams", ACCEPT_NOT },
		{ "text/event", ACCEPT_NOT },
		{ "xtext/event-stream", ACCEPT_NOT },
		{ "*/event-stream", ACCEPT_NOT },
		{ "text", ACCEPT_NOT },
		{ "text/event-stream;q=0", ACCEPT_NOT },
		{ "text/event-stream;q=0, */*", ACCEPT_NOT },
		{ "*/*, text/event-stream;q=0", ACCEPT_NOT },
		{ "*/*, text/event-stream ; Q=0.000", ACCEPT_NOT },
		{ "*/*, text/event-stream;q=0.", ACCEPT_NOT },
		{ "text/*;q=0, */*", ACCEPT_NOT },
		{ "*/*;q=0", ACCEPT_NOT },
		{ "*/*;q=0, text/*", ACCEPT_ANY },
		{ "text/*;q=0, text/event-stream", ACCEPT_NAME },
		{ "text/event-stream;q=0.001, */*;q=0", ACCEPT_NAME },
		{ "text/event-stream;q=1.000", ACCEPT_NAME },
		{ "text/event-stream;q=zero", ACCEPT_NAME },
		{ "text/event-stream;q=", ACCEPT_NAME },
		{ "text/event-stream;q=00", ACCEPT_NAME },
		{ "text/event-stream;charset=utf-8", ACCEPT_NAME },
		{ "text/event-stream;x=\"a,b;q=0\"", ACCEPT_NAME },
		{ "a/b;x=\"\\\", text/event-stream\"", ACCEPT_NOT },
		{ "a/b;x=\"\\\"\", text/event-stream", ACCEPT_NAME },
		{ "a/b;x=\"text/event-stream", ACCEPT_NOT },
		{ "a/b;x=\"\\", ACCEPT_NOT },
		{ ";q=0", ACCEPT_ANY },
		{ "text/event-stream;q=0, text/event-stream", ACCEPT_NAME },
	};
	char text[100];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(accept_find(cases[i].header, "text", "event-stream") ==
			cases[i].expected,
		    "Accept %d: '%s'", (int)cases[i].expected, cases[i].header);
	(void)snprintf(text, sizeof text, "HTTP_ACCEPT=%s", "text/html");
	check(refuses("", text, 406, "Accept"), "406 names the header");
	(void)snprintf(text, sizeof text, "HTTP_ACCEPT=%s",
	    "text/event-stream");
	check(starts("", text, START_NOW, 0), "what EventSource sends");
}

int
main(void)
{
	tap_seed();
	check_methods();
	check_starts();
	check_precedence();
	check_times();
	check(times_agree_with_strftime(), "random times: as strftime() wrote");
	check_topics();
	check_refused_names();
	check_limits();
	check_lent_texts();
	check_accept();
	return tap_end();
}
