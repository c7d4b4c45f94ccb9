/*
 * log_read_json(): what SQLite's JSON functions give, and what they must not be
 * given.  Each object comes back as "index{name:type=value,…}".
 */
#include "tap.h"

#include "lib/log/log.h"
#include "lib/utf8.h"

struct seen {
	struct tap_out out;
	size_t calls;
	size_t stop_after; /* calls; 0 for never */
	bool is_utf8;
};

static bool
on_member(void *cookie, size_t index, struct text name, struct text value,
    const char *type)
{
	struct seen *s = cookie;
	char number[32];

	s->calls++;
	if (name.bytes == NULL) {
		(void)snprintf(number, sizeof(number), "%zu;", index);
		tap_put(&s->out, text_of(number));
	} else {
		tap_put(&s->out, name);
		tap_put(&s->out, TEXT(":"));
		tap_put(&s->out, text_of(type));
		tap_put(&s->out, TEXT("="));
		tap_put(&s->out, value);
		tap_put(&s->out, TEXT(";"));
		s->is_utf8 &= utf8_is_valid(name) && utf8_is_valid(value);
	}
	return s->calls != s->stop_after;
}

/* In a heap block of its own size, so that a sanitizer sees a byte too far. */
static enum log_result
read_json(struct text json, struct seen *s, bool *is_array, char *why)
{
	struct log *json_reader = log_open_memory();
	struct text copy = tap_copy_text(json);
	enum log_result result;

	if (json_reader == NULL)
		abort();
	s->is_utf8 = true;
	result = log_read_json(json_reader, copy, is_array, on_member, s, why);
	tap_free_text(copy);
	log_close(json_reader);
	return result;
}

static bool
reads(struct text json, bool is_array_wanted, struct text wanted)
{
	struct seen s = { .calls = 0 };
	char why[LOG_WHY_MAX] = "";
	bool is_array;
	bool is_ok;

	is_ok = read_json(json, &s, &is_array, why) == LOG_OK;
	is_ok = is_ok && is_array == is_array_wanted && s.is_utf8 &&
	    tap_has_put(&s.out, wanted);
	if (!is_ok)
		printf("# %.*s\n# %s\n", (int)s.out.len, s.out.bytes, why);
	return is_ok;
}

#define READS(json, is_array, wanted, name) \
	check(reads(TEXT(json), is_array, TEXT(wanted)), name)

static bool
refuses(struct text json, const char *reason)
{
	struct seen s = { .calls = 0 };
	char why[LOG_WHY_MAX] = "";
	bool is_array;

	if (read_json(json, &s, &is_array, why) == LOG_REFUSED &&
	    strstr(why, reason) != NULL)
		return true;
	printf("# %s\n", why);
	return false;
}

#define REFUSES(json, reason, name) check(refuses(TEXT(json), reason), name)

static void
test_shape(void)
{
	READS("{}", false, "0;", "an empty object");
	READS("[]", true, "", "an empty array");
	READS(" [ { } , {\"a\":1} ]\n", true, "0;1;a:integer=1;",
	    "objects in order, white space around");
	READS("{\"b\":\"x\",\"a\":\"\",\"b\":\"y\"}", false,
	    "0;b:text=x;a:text=;b:text=y;",
	    "members in order, repeated ones too");
	REFUSES("5", "neither", "a number is refused");
	REFUSES("\"x\"", "neither", "a string is refused");
	REFUSES("null", "neither", "null is refused");
	REFUSES("[{},[],{}]", "index 1 of the array",
	    "an element that is no object is refused, by its index");
	REFUSES("[\"{}\"]", "index 0 of the array",
	    "a string that holds an object is none");
}

static void
test_values(void)
{
	READS("{\"a\":null,\"b\":true,\"c\":false}", false,
	    "0;a:null=null;b:true=true;c:false=false;",
	    "null, true and false are their JSON text");
	READS("{\"a\":1.10,\"b\":1e5,\"c\":-0,\"d\":0.0,\"e\":1E+400}", false,
	    "0;a:real=1.10;b:real=1e5;c:integer=-0;d:real=0.0;e:real=1E+400;",
	    "numbers stay as they were written");
	READS("{\"a\":123456789012345678901234567890}", false,
	    "0;a:integer=123456789012345678901234567890;",
	    "an integer beyond 64 bits stays as it was written");
	READS("[{\"a b\":1.0,\"a.b\":2.0,\"$[0]\":3.0,\"\":4.0,"
	      "\"d\\u0061ta\":5.0,\"\xc3\xbc\":6.0}]",
	    true,
	    "0;a b:real=1.0;a.b:real=2.0;$[0]:real=3.0;:real=4.0;"
	    "data:real=5.0;\xc3\xbc:real=6.0;",
	    "numbers under names that look like paths");
	READS("{\"a\\\"b\":1.5,\"c\\\\\":2}", false,
	    "0;a\"b:real=1.5;c\\:integer=2;",
	    "numbers under names with quotes and backslashes");
	READS("{\"a\": [ 1.0 , {\"b\" : \"\\u00fc\"} ], \"c\": {}}", false,
	    "0;a:array=[1.0,{\"b\":\"\\u00fc\"}];c:object={};",
	    "arrays and objects are JSON text without white space");
	READS("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}", false,
	    "0;a:text=\"\\/\b\f\n\r\t\xc3\xa9;", "strings are decoded");
	READS("{\"a\":\"\\ud83d\\uDE00\\uffff\\ue000\\ud7ff\"}", false,
	    "0;a:text=\xf0\x9f\x98\x80\xef\xbf\xbf\xee\x80\x80\xed\x9f\xbf;",
	    "surrogate pairs, and the neighbours of surrogates");
	READS("{\"a\":\"\\\\u0000\\\\ud800\"}", false,
	    "0;a:text=\\u0000\\ud800;", "an escaped backslash ends the escape");
}

static void
test_refusals(void)
{
	REFUSES("", "empty", "nothing at all");
	REFUSES("{\"a\":1} x", "well-formed", "text after the object");
	REFUSES("{\"a\":1,}", "well-formed", "a comma too much");
	REFUSES("{\"a\":Infinity}", "well-formed", "Infinity");
	REFUSES("{\"a\":\"\n\"}", "well-formed", "a control character");
	REFUSES("{\"a\":\"\\u00\"}", "well-formed", "an escape cut short");
	REFUSES("{\"a\":\"\\", "well-formed", "a backslash at the end");
	REFUSES("{\"a\":\"\\u", "well-formed", "a \\u at the end");
	REFUSES("/**/{}", "well-formed", "a comment");
	REFUSES("{}\0", "NUL", "a NUL after the object");
	REFUSES("{\"a\":\"x\0y\"}", "NUL", "a NUL in a string");
	REFUSES("{\"a\":\"x\\u0000y\"}", "\\u0000", "an escaped NUL");
	REFUSES("{\"a\":[{\"b\":\"\\\\\\u0000\"}]}", "\\u0000",
	    "an escaped NUL deep inside");
	REFUSES("{\"\\u0000\":1}", "\\u0000", "an escaped NUL in a name");
	REFUSES("{\"a\":\"\\ud800\"}", "surrogate", "a high surrogate alone");
	REFUSES("{\"a\":\"\\uDFFF\"}", "surrogate", "a low surrogate alone");
	REFUSES("{\"a\":\"\\ud800x\\udc00\"}", "surrogate",
	    "a pair with something between");
	REFUSES("{\"a\":\"\\ud800\\ud800\\udc00\"}", "surrogate",
	    "a high surrogate before a pair");
	REFUSES("{\"a\":\"\\ud800\\", "surrogate",
	    "a high surrogate and a cut escape");
	REFUSES("{\"a\":\"\xed\xa0\x80\"}", "UTF-8", "a surrogate as bytes");
	REFUSES("{\"a\":\"\xff\"}", "UTF-8", "a byte that is no UTF-8");
	REFUSES("\xef\xbb\xbf{}", "well-formed", "a byte order mark");
}

/* SQLite 3.42 and later read these. */
static void
test_json5(void)
{
	REFUSES("{'data':1}", "well-formed", "a name in single quotes");
	REFUSES("{\"a\":'x'}", "well-formed", "a string in single quotes");
	REFUSES("{data:1}", "well-formed", "a name without quotes");
	REFUSES("[{\"a\":1},]", "well-formed", "a comma after the last object");
	REFUSES("{\"a\":[1,]}", "well-formed",
	    "a comma after the last element");
	REFUSES("{\"a\":1}//x", "well-formed", "a comment to the end");
	REFUSES("{\"a\":1//x\n}", "well-formed", "a comment to the next line");
	REFUSES("{\"a\":/*x*/1}", "well-formed", "a comment inside");
	REFUSES("{\"a\":-Infinity}", "well-formed", "-Infinity");
	REFUSES("{\"a\":Inf}", "well-formed", "Inf");
	REFUSES("{\"a\":NaN}", "well-formed", "NaN");
	REFUSES("{\"a\":QNaN}", "well-formed", "QNaN");
	REFUSES("{\"a\":True}", "well-formed", "True");
	REFUSES("{\"a\":0x1f}", "well-formed", "a hexadecimal number");
	REFUSES("{\"a\":+1}", "well-formed", "a plus sign");
	REFUSES("{\"a\":.5}", "well-formed", "a point without a digit before");
	REFUSES("{\"a\":5.}", "well-formed", "a point without a digit after");
	REFUSES("{\"a\":01}", "well-formed", "a zero in front");
	REFUSES("{\"a\":\"\\x00\"}", "well-formed", "\\x00");
	REFUSES("{\"a\":\"\\x41\"}", "well-formed", "\\x41");
	REFUSES("{\"a\":\"\\0\"}", "well-formed", "\\0");
	REFUSES("{\"\\0\":1}", "well-formed", "\\0 in a name");
	REFUSES("{\"a\":\"\\v\"}", "well-formed", "\\v");
	REFUSES("{\"a\":\"\\'\"}", "well-formed", "an escaped quote");
	REFUSES("{\"a\":\"x\\\ny\"}", "well-formed", "an escaped line break");
	REFUSES("{\"a\":\"\x01\"}", "well-formed", "another control character");
	REFUSES("\v{}", "well-formed", "a vertical tab around");
	REFUSES("{\"a\":\f1}", "well-formed", "a form feed inside");
	REFUSES("{\"a\":\xc2\xa0"
		"1}",
	    "well-formed", "a no-break space");
}

static void
test_stop(void)
{
	struct seen s = { .stop_after = 3 };
	char why[LOG_WHY_MAX] = "untouched";
	bool is_array;
	enum log_result result;

	result = read_json(TEXT("[{\"a\":1,\"b\":2,\"c\":3},{}]"), &s,
	    &is_array, why);
	check(result == LOG_REFUSED && s.calls == 3,
	    "no member is given after one was refused");
	check(strcmp(why, "untouched") == 0,
	    "why is left alone when a member was refused");
}

/* {"data":1.5}, many times */
static void
test_speed(void)
{
	static const char object[] = "{\"data\":1.5,\"topic\":\"a\"},";
	const size_t n = 10000, len = sizeof(object) - 1;
	char *json = malloc(n * len + 2);
	struct seen s = { .calls = 0 };
	char why[LOG_WHY_MAX] = "";
	bool is_array;
	clock_t begun = clock();
	double took_s;
	enum log_result result;

	if (json == NULL)
		abort();
	json[0] = '[';
	for (size_t i = 0; i < n; i++)
		memcpy(json + 1 + i * len, object, len);
	json[n * len] = ']'; /* in the place of the last comma */
	result =
	    read_json((struct text){ json, n * len + 1 }, &s, &is_array, why);
	took_s = (double)(clock() - begun) / CLOCKS_PER_SEC;
	printf("# %zu objects in %.3f s of CPU\n", n, took_s);
	check(result == LOG_OK && s.calls == 3 * n,
	    "ten thousand objects are read");
	check(took_s < 5, "in a time that grows with their number only");
	free(json);
}

/* Whatever the bytes are: an answer, and nothing but UTF-8 in it. */
static void
test_random(void)
{
	static const char alphabet[] = "{}[]\":,\\u0d8cDf1.e-+ a\xc3\xbc\xed";
	bool is_ok = true;

	tap_seed();
	for (int i = 0; i < 3000 && is_ok; i++) {
		struct text t = tap_random_text(alphabet, sizeof(alphabet), 40);
		struct seen s = { .calls = 0 };
		char why[LOG_WHY_MAX] = "";
		bool is_array;
		enum log_result result = read_json(t, &s, &is_array, why);

		is_ok = s.is_utf8 &&
		    (result == LOG_OK ?
			    why[0] == '\0' :
			    result == LOG_REFUSED && why[0] != '\0');
		if (!is_ok)
			printf("# %.*s\n", (int)t.len, t.bytes);
		tap_free_text(t);
	}
	check(is_ok, "random text is read as UTF-8 or refused with a reason");
}

int
main(void)
{
	test_shape();
	test_values();
	test_refusals();
	test_json5();
	test_stop();
	test_speed();
	test_random();
	return tap_end();
}
