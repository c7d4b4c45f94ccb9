/*
 * body: content type, query and bytes → events, or a problem.
 * An event is compared as "topic|event|data|retry|key"; no key is "-".
 */
#include "tap.h"

#include "lib/body/body.h"
#include "lib/body/media.h"

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"
#define PLAIN "text/plain"

/* events are lent by the body. */
struct result {
	int status; /* 0 if there are events */
	struct problem p;
	struct body *b;
	const struct event *events;
	size_t n;
	struct log *json;
};

/* In two pieces, each in a heap block of its size; whole lines in one. */
static int
feed(struct body *b, struct text body, struct problem *p)
{
	size_t half = body_facts(b)->is_streamed ? body.len : body.len / 2;

	for (int i = 0; i < 2; i++) {
		size_t len = i == 0 ? half : body.len - half;
		struct text copy;
		int result;

		if (len == 0)
			continue;
		copy = tap_copy_text(
		    (struct text){ body.bytes + (i == 0 ? 0 : half), len });
		result = body_take(b, copy.bytes, len, p);
		tap_free_text(copy);
		if (result != 0)
			return -1;
	}
	return body_facts(b)->is_streamed ? 0 : body_end(b, p);
}

static void
parse_as(struct result *r, const struct body_options *options, struct text body)
{
	memset(r, 0, sizeof(*r));
	r->json = log_open_memory();
	if (r->json == NULL)
		abort();
	r->b = body_new(options, r->json, &r->p);
	if (r->b == NULL || feed(r->b, body, &r->p) != 0)
		r->status = r->p.status;
	if (r->b != NULL)
		r->events = body_events(r->b, &r->n);
}

static void
parse(struct result *r, const char *type, const char *query, struct text body)
{
	const struct body_options options = {
		.media = media_find(type),
		.query = query,
		.length = (int64_t)body.len,
		.max_bytes = 1000000,
		.limit_name = "--max",
	};

	parse_as(r, &options, body);
}

static void
result_free(struct result *r)
{
	body_free(r->b);
	log_close(r->json);
}

static void
print_text(FILE *f, struct text t)
{
	(void)fwrite(t.bytes, 1, t.len, f);
}

static char *
print_events(const struct result *r, size_t *len)
{
	char *out = NULL;
	FILE *f = open_memstream(&out, len);

	if (f == NULL)
		abort();
	for (size_t i = 0; i < r->n; i++) {
		const struct event *e = &r->events[i];

		print_text(f, e->topic);
		(void)fputc('|', f);
		print_text(f, e->name);
		(void)fputc('|', f);
		print_text(f, e->data);
		(void)fprintf(f, "|%" PRId64 "|", e->retry_ms);
		print_text(f, e->key.bytes != NULL ? e->key : TEXT("-"));
		(void)fputc('\n', f);
	}
	if (fclose(f) != 0)
		abort();
	return out;
}

static bool
gives(const char *type, const char *query, struct text body, bool is_array,
    struct text wanted)
{
	struct result r;
	bool is_ok;
	char *events;
	size_t len = 0;

	parse(&r, type, query, body);
	if (r.status != 0) {
		printf("# %d %s\n", r.status, r.p.detail);
		result_free(&r);
		return false;
	}
	events = print_events(&r, &len);
	is_ok = body_facts(r.b)->is_array == is_array &&
	    text_equal((struct text){ events, len }, wanted);
	if (!is_ok)
		printf("# %s", events);
	free(events);
	result_free(&r);
	return is_ok;
}

#define GIVES(type, query, body, wanted, name) \
	check(gives(type, query, TEXT(body), false, TEXT(wanted)), name)

static bool
refuses(const char *type, const char *query, struct text body, int status,
    const char *detail)
{
	struct result r;
	bool is_ok;

	parse(&r, type, query, body);
	is_ok = r.status == status && strstr(r.p.detail, detail) != NULL &&
	    r.n == 0;
	if (!is_ok)
		printf("# %d %s\n", r.status, r.p.detail);
	result_free(&r);
	return is_ok;
}

#define REFUSES(type, query, body, status, detail, name) \
	check(refuses(type, query, TEXT(body), status, detail), name)

static void
test_media(void)
{
	static const struct {
		const char *type;
		enum media media;
	} rows[] = {
		{ FORM, MEDIA_FORM },
		{ JSON, MEDIA_JSON },
		{ PLAIN, MEDIA_PLAIN },
		{ "TEXT/Plain", MEDIA_PLAIN },
		{ "text/plain;charset=utf-8", MEDIA_PLAIN },
		{ "text/plain ; charset=UTF-8 ", MEDIA_PLAIN },
		{ "text/plain; charset=\"utf-8\"", MEDIA_PLAIN },
		{ "text/plain; Charset=utf-8; x=y", MEDIA_PLAIN },
		{ "text/plain; x=\"a;charset=b\"", MEDIA_PLAIN },
		{ "text/plain;", MEDIA_PLAIN },
		{ "text/plain;;x=y;", MEDIA_PLAIN },
		{ "text/plain; charset=utf8", MEDIA_UNKNOWN },
		{ "text/plain; charset=iso-8859-1", MEDIA_UNKNOWN },
		{ "text/plain; charset=utf-8; charset=x", MEDIA_UNKNOWN },
		{ "text/plain; charset=", MEDIA_UNKNOWN },
		{ "text/plain; charset", MEDIA_UNKNOWN },
		{ "text/plain; charset=\"utf-8", MEDIA_UNKNOWN },
		{ "text/plain; charset=\"utf\\-8\"", MEDIA_UNKNOWN },
		{ "text/plain; =utf-8", MEDIA_UNKNOWN },
		{ "text/plain charset=utf-8", MEDIA_UNKNOWN },
		{ "text/plain; charset=utf-8 x", MEDIA_UNKNOWN },
		{ "text/plai", MEDIA_UNKNOWN },
		{ "text/plainer", MEDIA_UNKNOWN },
		{ " text/plain", MEDIA_UNKNOWN },
		{ "application/json, text/plain", MEDIA_UNKNOWN },
		{ ";", MEDIA_UNKNOWN },
		{ "", MEDIA_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(media_find(rows[i].type) == rows[i].media,
		    "media type: %s", rows[i].type);
	check(media_find(NULL) == MEDIA_UNKNOWN, "media type: none");
	REFUSES("text/html", NULL, "x", 415, "text/plain", "another type");
	REFUSES(NULL, NULL, "x", 415, "text/plain", "no type");
}

static void
test_form(void)
{
	GIVES(FORM, NULL, "data=x", "|message|x|-1|-\n", "form: data alone");
	GIVES(FORM, NULL, "data=", "|message||-1|-\n", "form: empty data");
	GIVES(FORM, NULL, "data", "|message||-1|-\n", "form: data without =");
	GIVES(FORM, NULL,
	    "key=k&retry=86400000&data=a%3Db+c&event=e&topic=%C3%BC",
	    "\xc3\xbc|e|a=b c|86400000|k\n", "form: all fields");
	GIVES(FORM, NULL, "topic=&event=&data=&key=", "|||-1|\n",
	    "form: empty fields are there, and empty");
	GIVES(FORM, "topic=a&x=%", "data=x", "|message|x|-1|-\n",
	    "form: the query is ignored");
	GIVES(FORM, NULL, "data=a%00b", "|message|a\0b|-1|-\n",
	    "form: NUL is an ordinary character");
	REFUSES(FORM, NULL, "", 400, "no data", "form: nothing");
	REFUSES(FORM, NULL, "topic=a", 400, "no data", "form: no data");
	REFUSES(FORM, NULL, "data=x&data=y", 400, "\"data\" appears twice",
	    "form: data twice");
	REFUSES(FORM, NULL, "data=x&key=&key=", 400, "\"key\" appears twice",
	    "form: an empty field twice");
	REFUSES(FORM, NULL, "data=x&Data=y", 400, "no field \"Data\"",
	    "form: names are told apart by case");
	REFUSES(FORM, NULL, "data=x&=y", 400, "no field \"\"",
	    "form: an empty name");
	REFUSES(FORM, NULL, "data=x&data%00=y", 400, "no field \"data?\"",
	    "form: a NUL after a name");
	REFUSES(FORM, NULL, "data=x&topic=%C3", 400, "malformed at \"topic\"",
	    "form: not UTF-8");
	REFUSES(FORM, NULL, "data=%2", 400, "malformed at \"data\"",
	    "form: a stray percent sign");
	REFUSES(FORM, NULL,
	    "data=x&aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde=", 400,
	    "\"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd\"",
	    "form: 40 bytes of an unknown name are shown");
}

static void
test_retry(void)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "1.0",
		"1e3", "0x1", "86400001", "99999999999999999999", "x" };
	char body[64];

	GIVES(FORM, NULL, "data=x&retry=0", "|message|x|0|-\n", "retry: 0");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		(void)snprintf(body, sizeof(body), "retry=%s&data=x",
		    strcmp(bad[i], "+1") == 0 ? "%2B1" : bad[i]);
		check(refuses(FORM, NULL, text_of(body), 400,
			  "\"retry\" must be"),
		    "retry: '%s' is refused", bad[i]);
	}
	REFUSES(JSON, NULL, "{\"data\":1,\"retry\":\"5\"}", 400,
	    "\"retry\" must be a whole number", "retry: a JSON string");
	REFUSES(JSON, NULL, "{\"data\":1,\"retry\":5.0}", 400,
	    "\"retry\" must be a whole number", "retry: a JSON real");
	REFUSES(JSON, NULL, "{\"data\":1,\"retry\":-1}", 400,
	    "\"retry\" must be a whole number", "retry: a negative number");
	REFUSES(JSON, NULL, "{\"data\":1,\"retry\":86400001}", 400,
	    "\"retry\" must be a whole number", "retry: a number too large");
}

static void
test_plain(void)
{
	GIVES(PLAIN, NULL, "a=b&c\r\n", "|message|a=b&c\r\n|-1|-\n",
	    "plain: the body as it is");
	GIVES(PLAIN, "", "x", "|message|x|-1|-\n", "plain: an empty query");
	GIVES(PLAIN, "topic=a+b&event=e&retry=5&key=k", "x", "a b|e|x|5|k\n",
	    "plain: the rest from the query");
	REFUSES(PLAIN, NULL, "", 400, "no data", "plain: nothing");
	REFUSES(PLAIN, NULL, "\xff", 400, "not UTF-8", "plain: not UTF-8");
	REFUSES(PLAIN, "data=y", "x", 400,
	    "In the query: There is no field \"data\"",
	    "plain: data in the query");
	REFUSES(PLAIN, "x=y", "x", 400, "no field \"x\"",
	    "plain: an unknown field in the query");
	REFUSES(PLAIN, "topic=a&topic=a", "x", 400, "twice",
	    "plain: a field twice in the query");
	REFUSES(PLAIN, "topic=%", "x", 400, "query is malformed at \"topic\"",
	    "plain: a broken query");
}

static void
test_json(void)
{
	GIVES(JSON, NULL, "{\"data\":\"x\"}", "|message|x|-1|-\n",
	    "JSON: data alone");
	GIVES(JSON, "data=%", "{\"data\":\"\"}", "|message||-1|-\n",
	    "JSON: empty data; the query is ignored");
	GIVES(JSON, NULL,
	    "{\"key\":\"k\",\"retry\":5,\"data\":1.10,\"event\":\"e\","
	    "\"topic\":\"\\u00fc\"}",
	    "\xc3\xbc|e|1.10|5|k\n", "JSON: all members");
	GIVES(JSON, NULL,
	    "{\"key\":null,\"retry\":null,\"data\":{\"a\": [ ]},"
	    "\"event\":null,\"topic\":null}",
	    "|message|{\"a\":[]}|-1|-\n", "JSON: null is absent");
	check(gives(JSON, NULL,
		  TEXT("[{\"data\":\"a\",\"topic\":\"t\",\"key\":\"\"},"
		       "{\"data\":true},{\"data\":\"c\"}]"),
		  true,
		  TEXT("t|message|a|-1|\n|message|true|-1|-\n"
		       "|message|c|-1|-\n")),
	    "JSON: an array, nothing carried over from one to the next");
	REFUSES(JSON, NULL, "{\"data\":null}", 400, "no data",
	    "JSON: null is no data");
	REFUSES(JSON, NULL, "{}", 400, "There is no data",
	    "JSON: an empty object");
	REFUSES(JSON, NULL, "[]", 400, "the array is empty",
	    "JSON: an empty array");
	REFUSES(JSON, NULL, "[{\"data\":1},{},{\"data\":1}]", 400,
	    "At index 1 of the array: There is no data",
	    "JSON: no data, in the middle");
	REFUSES(JSON, NULL, "[{\"data\":1},{\"topic\":\"\"}]", 400,
	    "At index 1 of the array: There is no data",
	    "JSON: no data, at the end");
	REFUSES(JSON, NULL, "{\"data\":1,\"topic\":1}", 400,
	    "\"topic\" must be a string", "JSON: topic is a number");
	REFUSES(JSON, NULL, "{\"data\":1,\"event\":[]}", 400,
	    "\"event\" must be a string", "JSON: event is an array");
	REFUSES(JSON, NULL, "{\"data\":1,\"key\":false}", 400,
	    "\"key\" must be a string", "JSON: key is false");
	REFUSES(JSON, NULL, "{\"data\":1,\"d\\u0061ta\":1}", 400,
	    "\"data\" appears twice", "JSON: a member twice");
	REFUSES(JSON, NULL,
	    "{\"topic\":\"0123456789012345678901234567890123456789\","
	    "\"topic\":0}",
	    400, "\"topic\" appears twice", "JSON: a long member twice");
	REFUSES(JSON, NULL, "[{\"data\":1,\"x\":1}]", 400,
	    "At index 0 of the array: There is no field \"x\"",
	    "JSON: an unknown member");
	REFUSES(JSON, NULL, "{\"data\":1", 400, "The JSON is refused",
	    "JSON: broken");
}

/* An array of n events; n * 11 + 1 bytes. */
static struct text
make_array(size_t n)
{
	static const char object[] = "{\"data\":1},";
	const size_t len = sizeof(object) - 1;
	char *json = malloc(n * len + 1);

	if (json == NULL)
		abort();
	json[0] = '[';
	for (size_t i = 0; i < n; i++)
		memcpy(json + 1 + i * len, object, len);
	json[n * len] = ']'; /* in the place of the last comma */
	return (struct text){ json, n * len + 1 };
}

static void
test_limit(void)
{
	struct text json = make_array(BODY_EVENTS_MAX);
	struct result r;

	parse(&r, JSON, NULL, json);
	check(r.status == 0 && r.n == BODY_EVENTS_MAX, "limit: %d events",
	    BODY_EVENTS_MAX);
	result_free(&r);
	tap_free_text(json);

	json = make_array(BODY_EVENTS_MAX + 1);
	check(refuses(JSON, NULL, json, 413, "more than 10000 events"),
	    "limit: one event more");
	tap_free_text(json);
}

/* ---- one line of an export ---- */

/* The second of two lines is refused with this detail, behind the place? */
static bool
refuses_line(struct text line, bool is_export, const char *detail)
{
	const struct body_options options = {
		.media = MEDIA_NDJSON,
		.length = -1,
		.max_bytes = 1000,
		.limit_name = "--max",
		.is_export = is_export,
	};
	struct result r;
	char lines[500];
	int len = snprintf(lines, sizeof(lines), "{\"data\":1}\n%.*s\n",
	    (int)line.len, line.bytes);
	bool is_refused;

	parse_as(&r, &options, (struct text){ lines, (size_t)len });
	is_refused = r.status == 400 && r.n == 1 &&
	    strncmp(r.p.detail, "Line 2: ", 8) == 0 &&
	    strstr(r.p.detail, detail) != NULL;
	if (!is_refused)
		printf("# %d %s\n", r.status, r.p.detail);
	result_free(&r);
	return is_refused;
}

static void
test_line(void)
{
	static const struct body_options options = {
		.media = MEDIA_NDJSON,
		.length = -1,
		.max_bytes = 1000,
		.limit_name = "--max",
		.is_export = true,
	};
	static const char all[] =
	    "{\"topic\":\"t\",\"event\":\"e\",\"data\":"
	    "{\"a\":[1.10]},\"retry\":86400000,"
	    "\"key\":\"k\",\"id\":9,\"created_ms\":\"x\"}";
	const struct event *a, *b;
	struct result r;
	char lines[300];
	int len = snprintf(lines, sizeof(lines), "{\"data\":\"\"}\n%s\n", all);

	parse_as(&r, &options, (struct text){ lines, (size_t)len });
	check(r.status == 0 && r.n == 2, "line: two");
	b = &r.events[0];
	a = &r.events[1];
	check(text_equal(a->topic, TEXT("t")) &&
		text_equal(a->name, TEXT("e")) &&
		text_equal(a->data, TEXT("{\"a\":[1.10]}")) &&
		text_equal(a->key, TEXT("k")) && a->retry_ms == 86400000 &&
		a->id == 0,
	    "line: all members, but for those that the log gives");
	check(text_equal(b->topic, TEXT("")) &&
		text_equal(b->name, TEXT("message")) && b->data.bytes != NULL &&
		b->data.len == 0 && b->key.bytes == NULL &&
		b->retry_ms == EVENT_NO_RETRY,
	    "line: data alone is enough, and may be empty");
	result_free(&r);
	check(refuses_line(TEXT(all), false, "There is no field \"id\""),
	    "line: a publisher gives no ids");
	check(refuses_line(TEXT("{\"data\":1,\"created_ms\":1}"), false,
		  "There is no field \"created_ms\""),
	    "line: nor times");
	check(refuses_line(TEXT("{\"data\":1,\"id\":1,\"id\":2}"), true,
		  "\"id\" appears twice"),
	    "line: two ids");
	check(refuses_line(TEXT("{}"), true, "There is no data"),
	    "line: no data");
	check(refuses_line(TEXT("[{\"data\":1}]"), true, "array"),
	    "line: an array");
	check(refuses_line(TEXT("[]"), true, "array"), "line: an empty one");
	check(refuses_line(TEXT("[{\"data\":1},{\"data\":2}]"), true, "array"),
	    "line: of two");
	check(refuses_line(TEXT("{\"data\":1,\"a\\nb\":1}"), true,
		  "There is no field \"a?b\""),
	    "line: an unknown member");
	check(refuses_line(TEXT("{\"data\":1,\"retry\":1e3}"), true,
		  "whole number"),
	    "line: a retry that is a float");
}

int
main(void)
{
	test_media();
	test_form();
	test_retry();
	test_plain();
	test_json();
	test_limit();
	test_line();
	return tap_end();
}
