/*
 * publish: whole requests to the publisher, from variables and body to the
 * events to append or the problem that is answered.  No socket and no log take
 * part.
 */
#include "tap.h"

#include "cgi/publish.h"

#define FORM "CONTENT_TYPE=application/x-www-form-urlencoded"
#define JSON "CONTENT_TYPE=application/json"
#define PLAIN "CONTENT_TYPE=text/plain"
#define ALLOW "Allow: POST, PUT, OPTIONS\r\n"
#define LONG "0123456789012345678901234567890123456789"
#define VARS_MAX 16

/*
 * vars come before the defaults of a POST of a form; "-NAME" takes a default
 * away.  status is 0 if the request is accepted, and detail is then the data of
 * its first event.
 */
struct row {
	struct text body;
	int status;
	const char *detail;
	const char *vars[6];
};

#define REFUSED(status, detail, body, ...)                        \
	{                                                         \
		{ (body), sizeof(body) - 1 }, (status), (detail), \
		{                                                 \
			__VA_ARGS__                               \
		}                                                 \
	}
#define TAKEN(data, body, ...) REFUSED(0, data, body, __VA_ARGS__)

static struct publisher_config config;
static struct log *json;

/* ---- one request ---- */

static bool
is_taken_away(const struct row *row, const char *name, size_t len)
{
	for (size_t i = 0; row->vars[i] != NULL; i++)
		if (row->vars[i][0] == '-' &&
		    strncmp(row->vars[i] + 1, name, len) == 0 &&
		    row->vars[i][len + 1] == '\0')
			return true;
	return false;
}

static void
set_vars(const struct row *row, char length[40], const char *vars[VARS_MAX])
{
	const char *const defaults[] = { "REQUEST_METHOD=POST", FORM, length };
	size_t n = 0;

	(void)snprintf(length, 40, "CONTENT_LENGTH=%zu", row->body.len);
	for (size_t i = 0; row->vars[i] != NULL; i++)
		vars[n++] = row->vars[i];
	for (size_t i = 0; i < 3; i++)
		if (!is_taken_away(row, defaults[i], strcspn(defaults[i], "=")))
			vars[n++] = defaults[i];
	vars[n] = NULL;
}

/* Feed the announced bytes of the body, or those that are there. */
static struct publish *
run(const struct row *row, bool is_framed)
{
	const char *vars[VARS_MAX];
	char length[40];
	struct publish *p;
	int64_t len;

	set_vars(row, length, vars);
	p = publish_new(&config, json, vars, is_framed);
	if (p == NULL)
		abort();
	len = publish_length(p);
	if (len < 0 || len > (int64_t)row->body.len)
		len = (int64_t)row->body.len;
	if (publish_state(p) <= PUBLISH_DISCARDING && len > 0)
		publish_take(p, row->body.bytes, (size_t)len);
	if (publish_state(p) <= PUBLISH_DISCARDING)
		publish_end(p);
	return p;
}

/* Decode the member "detail" of a problem into out. */
static void
read_detail(const char *answer, char out[500])
{
	const char *at = strstr(answer, "\"detail\":\"");
	size_t len = 0;

	for (at = at != NULL ? at + 10 : "\""; *at != '"' && len < 499; at++) {
		at += *at == '\\';
		out[len++] = *at;
	}
	out[len] = '\0';
}

/* Does the answer have this status, and this text in the detail? */
static bool
answers(struct publish *p, int status, const char *detail)
{
	char expected[32], found[500];
	const char *answer;
	size_t len;
	bool is_good;

	if (publish_state(p) != PUBLISH_ANSWERING)
		return false;
	answer = publish_answer(p, &len);
	if (answer == NULL)
		abort();
	read_detail(answer, found);
	(void)snprintf(expected, sizeof(expected), "Status: %d ", status);
	is_good = strncmp(answer, expected, strlen(expected)) == 0 &&
	    strstr(found, detail) != NULL &&
	    (status != 405 || strstr(answer, ALLOW) != NULL);
	if (!is_good)
		printf("# %s\n", answer);
	return is_good;
}

static bool
has_event(struct publish *p, const char *data)
{
	const struct event *e;
	size_t n;

	if (publish_state(p) != PUBLISH_APPENDING)
		return answers(p, 0, "");
	e = publish_events(p, &n);
	return text_equal(e[0].data, text_of(data));
}

/* The length of the printable ASCII that a text begins with. */
static int
printable(struct text t)
{
	size_t len = 0;

	while (len < t.len && t.bytes[len] >= ' ' && t.bytes[len] <= '~')
		len++;
	return (int)len;
}

static const char *
last_var(const struct row *row)
{
	const char *const *var = row->vars;

	while (var[1] != NULL)
		var++;
	return *var;
}

static void
check_rows(const struct row *rows, size_t n, bool is_framed)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct publish *p = run(row, is_framed);

		check(row->status == 0 ? has_event(p, row->detail) :
					 answers(p, row->status, row->detail),
		    "%d: %.*s, %s", row->status, printable(row->body),
		    row->body.bytes, last_var(row));
		publish_free(p);
	}
}

#define CHECK_ROWS(rows) \
	check_rows(rows, sizeof(rows) / sizeof((rows)[0]), false)

/* ---- method, length, content type ---- */

#define REFUSED_METHOD(method) \
	REFUSED(405, "POST", "data=x", "REQUEST_METHOD=" method)
#define NO_NUMBER(length)                                        \
	REFUSED(400, "Content-Length is not a number", "data=x", \
	    "CONTENT_LENGTH=" length)
#define NO_TYPE(type) \
	REFUSED(415, "Content-Type must be", "data=x", "CONTENT_TYPE=" type)

static void
check_headers(void)
{
	static const struct row rows[] = {
		REFUSED_METHOD("GET"),
		REFUSED_METHOD("HEAD"),
		REFUSED_METHOD("DELETE"),
		REFUSED_METHOD("PATCH"),
		REFUSED_METHOD("post"),
		REFUSED_METHOD(""),
		REFUSED(405, "POST", "data=x", "-REQUEST_METHOD"),
		REFUSED(411, "Content-Length", "data=x", "-CONTENT_LENGTH"),
		REFUSED(411, "Content-Length", "data=x", "CONTENT_LENGTH="),
		NO_NUMBER("-1"),
		NO_NUMBER("+6"),
		NO_NUMBER("0x6"),
		NO_NUMBER(" 6"),
		NO_NUMBER("6 "),
		NO_NUMBER("6a"),
		NO_NUMBER("1,6"),
		NO_NUMBER("6.0"),
		REFUSED(413, "longer than 1048576 bytes", "data=x",
		    "CONTENT_LENGTH=1048577"),
		REFUSED(413, "longer than 1048576 bytes", "data=x",
		    "CONTENT_LENGTH=99999999999999999999999999"),
		REFUSED(400, "ended after 6 of 7 bytes", "data=x",
		    "CONTENT_LENGTH=7"),
		REFUSED(400, "ended after 6 of 1048576 bytes", "data=x",
		    "CONTENT_LENGTH=1048576"),
		TAKEN("x", "data=xyz", "CONTENT_LENGTH=6"),
		NO_TYPE("multipart/form-data"),
		NO_TYPE("application/jsonx"),
		NO_TYPE("text/html"),
		NO_TYPE("text"),
		NO_TYPE("text/plain; charset=iso-8859-1"),
		NO_TYPE("text/plain; charset"),
		NO_TYPE("application/json; charset=\"utf-8"),
		NO_TYPE("text/plain x"),
		NO_TYPE("application/json, text/plain"),
		NO_TYPE(""),
		REFUSED(415, "Content-Type must be", "data=x", "-CONTENT_TYPE"),
		REFUSED(403, "ROWCAST_CORS_ORIGINS", "data=x",
		    "HTTP_SEC_FETCH_SITE=cross-site"),
		REFUSED(415, "does not decompress", "data=x",
		    "HTTP_CONTENT_ENCODING=gzip"),
	};
	static const struct row framed[] = {
		TAKEN("x", "data=x", "-CONTENT_LENGTH"),
		TAKEN("x", "data=x", "CONTENT_LENGTH="),
		TAKEN("x", "data=x", "CONTENT_LENGTH=-1"),
		NO_NUMBER("-2"),
	};
	static const struct row six[] = {
		TAKEN("x", "data=x", FORM),
		REFUSED(413, "longer than 6 bytes", "data=xy", FORM),
	};

	CHECK_ROWS(rows);
	check_rows(framed, sizeof(framed) / sizeof(framed[0]), true);
	config.max_body_bytes = 6;
	CHECK_ROWS(six);
	config.max_body_bytes = 1048576;
}

/* A refused body is read so that the client gets the answer, up to a bound. */
static void
check_discarded(void)
{
	static const struct row row = { .vars = { "REQUEST_METHOD=DELETE" } };
	const size_t piece = 1048576;
	const char *vars[VARS_MAX];
	char length[40], *bytes = calloc(1, piece);
	struct publish *p;
	int i;

	set_vars(&row, length, vars);
	p = publish_new(&config, json, vars, true);
	if (p == NULL || bytes == NULL)
		abort();
	for (i = 0; publish_state(p) == PUBLISH_DISCARDING && i < 20; i++)
		publish_take(p, bytes, piece);
	check(i == 17 && publish_state(p) == PUBLISH_ANSWERING,
	    "more than 16 MB of a refused body are not read");
	publish_free(p);
	free(bytes);
}

/* ---- bodies that cannot be read ---- */

#define NO_JSON(body) REFUSED(400, "The JSON is refused", body, JSON)
#define NO_OBJECT(body) \
	REFUSED(400, "neither an object nor an array of objects", body, JSON)
#define NO_UTF8(body, type) REFUSED(400, "UTF-8", body, type)

static void
check_syntax(void)
{
	static const struct row rows[] = {
		REFUSED(400, "data", "data=%", FORM),
		REFUSED(400, "topic", "data=x&topic=%4", FORM),
		REFUSED(400, "two hex digits", "data=%zz", FORM),
		REFUSED(400, "The query is malformed at \"topic\"", "x", PLAIN,
		    "QUERY_STRING=topic=%"),
		REFUSED(400, "In the query: There is no field \"data\"; there",
		    "x", PLAIN, "QUERY_STRING=data=y"),
		NO_JSON("{"),
		NO_JSON("{\"data\":\"x\""),
		NO_JSON("{\"data\":\"x\",}"),
		NO_JSON("{'data':'x'}"),
		NO_JSON("{data:\"x\"}"),
		NO_JSON("[{\"data\":\"x\"}"),
		NO_JSON("{\"data\":\"x\"}}"),
		NO_JSON("{\"data\":01}"),
		NO_JSON("{\"data\":NaN}"),
		NO_JSON("{\"data\":\"a\tb\"}"),
		NO_JSON("{\"data\":\"\\x\"}"),
		NO_JSON(""),
		NO_OBJECT("\"x\""),
		NO_OBJECT("5"),
		NO_OBJECT("null"),
		NO_OBJECT("true"),
		REFUSED(400, "index 1 of the array is not an object",
		    "[{\"data\":\"x\"},[]]", JSON),
		REFUSED(400, "\\u0000", "{\"data\":\"a\\u0000b\"}", JSON),
		REFUSED(400, "surrogate", "{\"data\":\"\\ud800\"}", JSON),
		REFUSED(400, "surrogate", "{\"data\":\"\\udc00\\ud800\"}",
		    JSON),
		REFUSED(400, "NUL", "{\"data\":\"x\"}\0", JSON),
		TAKEN("\\u0000 \xf0\x9f\x98\x80",
		    "{\"data\":\"\\\\u0000 \\ud83d\\ude00\"}", JSON),
		NO_UTF8("data=%ff", FORM),
		NO_UTF8("data=\xc3(", FORM),
		NO_UTF8("{\"data\":\"\xed\xa0\x80\"}", JSON),
		NO_UTF8("\xc0\x80", PLAIN),
	};
	static char deep[100000];
	struct row nested = { { deep, sizeof(deep) }, 400,
		"The JSON is refused", { JSON } };
	struct publish *p;

	CHECK_ROWS(rows);
	memset(deep, '[', sizeof(deep));
	p = run(&nested, false);
	check(answers(p, 400, nested.detail), "400: 100000 brackets");
	publish_free(p);
}

/* ---- fields ---- */

#define NO_DATA(body, type) REFUSED(400, "no data", body, type)
#define TWICE(name, body, ...) \
	REFUSED(400, "\"" name "\" appears twice", body, __VA_ARGS__)
#define NO_STRING(name)                               \
	REFUSED(400, "\"" name "\" must be a string", \
	    "{\"data\":\"x\",\"" name "\":5}", JSON)
#define NO_RETRY(value)                                  \
	REFUSED(400, "\"retry\" must be a whole number", \
	    "data=x&retry=" value, FORM)
#define NO_JSON_RETRY(value)                             \
	REFUSED(400, "\"retry\" must be a whole number", \
	    "{\"data\":\"x\",\"retry\":" value "}", JSON)

static void
check_fields(void)
{
	static const struct row rows[] = {
		NO_DATA("", FORM),
		NO_DATA("topic=a", FORM),
		NO_DATA("{}", JSON),
		NO_DATA("{\"data\":null}", JSON),
		NO_DATA("[]", JSON),
		REFUSED(400, "At index 0 of the array: There is no data",
		    "[{},{\"data\":\"x\"}]", JSON),
		NO_DATA("", PLAIN),
		REFUSED(400, "no field \"tpoic\"", "data=x&tpoic=a", FORM),
		REFUSED(400, "no field \"id\"", "{\"data\":\"x\",\"id\":5}",
		    JSON),
		REFUSED(400, "no field \"token\"", "x", PLAIN,
		    "QUERY_STRING=token=1"),
		REFUSED(400, "no field \"" LONG "\";",
		    "data=x&" LONG LONG "01234567890123456789=1", FORM),
		REFUSED(400, "no field \"a?\?X\"?\?\?\";",
		    "data=x&a%0D%0AX%22%C3%BC%7F=1", FORM),
		REFUSED(400, "no field \"a\"\\?\";", "{\"a\\\"\\\\\\n\":1.5}",
		    JSON),
		TWICE("data", "data=x&data=y", FORM),
		TWICE("data", "{\"data\":\"x\",\"d\\u0061ta\":1}", JSON),
		TWICE("topic",
		    "{\"data\":\"x\",\"topic\":null,\"topic\":\"a\"}", JSON),
		TWICE("topic", "x", PLAIN, "QUERY_STRING=topic=a&topic=b"),
		NO_STRING("topic"),
		NO_STRING("event"),
		NO_STRING("key"),
		REFUSED(400, "\"error\" is refused", "data=x&event=error",
		    FORM),
		REFUSED(400, "\"open\" is refused", "data=x&event=open", FORM),
		REFUSED(400, "index 1 of the array: The event name \"open\"",
		    "[{\"data\":1},{\"data\":2,\"event\":\"open\"}]", JSON),
		REFUSED(400, "\"error\" is refused", "x", PLAIN,
		    "QUERY_STRING=event=error"),
		TAKEN("x", "data=x&event=Error", FORM),
		TAKEN("x", "data=x&event=opened", FORM),
		NO_JSON_RETRY("\"5\""),
		NO_JSON_RETRY("1.0"),
		NO_JSON_RETRY("-1"),
		NO_JSON_RETRY("-0"),
		NO_JSON_RETRY("86400001"),
		NO_JSON_RETRY("99999999999999999999"),
		TAKEN("x", "{\"data\":\"x\",\"retry\":0}", JSON),
		NO_RETRY("-1"),
		NO_RETRY("+1"),
		NO_RETRY("1.0"),
		NO_RETRY("1e3"),
		NO_RETRY("86400001"),
		NO_RETRY("999999999"),
		NO_RETRY(""),
		NO_RETRY("%201"),
		NO_RETRY("a"),
		TAKEN("x", "data=x&retry=86400000", FORM),
	};

	CHECK_ROWS(rows);
}

/* ---- events that the log refuses ---- */

/* Is the answer 422, with this beginning of the detail? */
static bool
names_culprit(const char *body, size_t culprit, const char *detail)
{
	const struct row row = { { body, strlen(body) }, 422, detail,
		{ JSON } };
	struct publish *p = run(&row, false);
	char found[500] = "";
	const char *answer;
	size_t len;

	if (publish_state(p) == PUBLISH_APPENDING &&
	    !publish_appended(p, LOG_REFUSED, NULL, culprit,
		"topic holds CR, LF or NUL") &&
	    answers(p, 422, detail) &&
	    (answer = publish_answer(p, &len)) != NULL)
		read_detail(answer, found);
	publish_free(p);
	return strncmp(found, detail, strlen(detail)) == 0;
}

static void
check_refused_events(void)
{
	check(names_culprit(
		  "[{\"data\":\"a\"},{\"data\":\"x\",\"topic\":\"a\\nb\"}]", 1,
		  "At index 1 of the array: The event is refused: topic holds "
		  "CR, LF or NUL.  Nothing was stored."),
	    "422 names the index in an array");
	check(names_culprit("{\"data\":\"x\",\"topic\":\"a\\nb\"}", 0,
		  "The event is refused: topic holds"),
	    "422 names no index for a single object");
}

int
main(void)
{
	config.is_open = true;
	config.max_body_bytes = 1048576;
	json = log_open_memory();
	if (json == NULL)
		abort();
	check_headers();
	check_discarded();
	check_syntax();
	check_fields();
	check_refused_events();
	log_close(json);
	return tap_end();
}
