/*
 * The pure modules of rowcast(1): buffer, json, record.
 * The property test writes random bytes as JSON and has SQLite read them back.
 */
#include "tap.h"

#include "cli/json.h"
#include "cli/record.h"
#include "lib/log/log.h"
#include "lib/utf8.h"

#define ROUNDS 3000

static struct buffer b;

/* What is in the buffer is this; it is empty then. */
static bool
holds(struct text expected)
{
	bool is_same = text_equal((struct text){ b.bytes, b.len }, expected) &&
	    !b.is_short;

	if (!is_same)
		printf("# %.*s\n", (int)b.len, b.len > 0 ? b.bytes : "");
	buffer_clear(&b);
	return is_same;
}

/* ---- buffer ---- */

static void
check_buffer(void)
{
	struct buffer grown = { 0 };
	bool is_right = true;

	check(holds(TEXT("")), "buffer: all zero is empty");
	buffer_add(&b, NULL, 0);
	buffer_add_string(&b, "a");
	buffer_add(&b, "\0b", 2);
	buffer_print(&b, "%" PRId64, INT64_MIN);
	check(holds(TEXT("a\0b-9223372036854775808")),
	    "buffer: strings, bytes, numbers");
	for (int i = 0; i < 10000; i++)
		buffer_add(&grown, "0123456789", 10);
	for (size_t i = 0; i < grown.len; i++)
		is_right = is_right && grown.bytes[i] == (char)('0' + i % 10);
	check(is_right && grown.len == 100000, "buffer: grows and keeps");
	check(buffer_room(&grown, SIZE_MAX) == NULL && grown.is_short,
	    "buffer: what there can be no room for");
	buffer_add_string(&grown, "x");
	check(grown.len == 100000 && grown.is_short,
	    "buffer: takes nothing more when something is missing");
	buffer_clear(&grown);
	buffer_add_string(&grown, "x");
	check(grown.len == 1 && !grown.is_short, "buffer: until it is cleared");
	buffer_free(&grown);
	check(grown.bytes == NULL && grown.cap == 0, "buffer: freed");
}

/* ---- escape, json ---- */

static bool
escapes(struct text t, struct text expected)
{
	buffer_escape(&b, t, "\"\\");
	return holds(expected);
}

static void
check_escape(void)
{
	check(escapes(TEXT(""), TEXT("")), "escape: nothing");
	check(escapes(TEXT("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80/"),
		  TEXT("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80/")),
	    "escape: UTF-8 is left as it is");
	check(escapes(TEXT("\"\\'"), TEXT("\\\"\\\\'")),
	    "escape: what is quoted, and only that");
	check(escapes(TEXT("\n\r\t\0\x1b\x7f"),
		  TEXT("\\n\\u000d\\u0009\\u0000\\u001b\\u007f")),
	    "escape: control characters");
	check(escapes(TEXT("\xc2\x9b\xc2\xa0"), TEXT("\\u009b\xc2\xa0")),
	    "escape: those that take two bytes");
	check(escapes(TEXT("a\xff\xfe"), TEXT("a\xef\xbf\xbd\xef\xbf\xbd")),
	    "escape: bytes that begin nothing");
	check(escapes(TEXT("\xe2\x82z\xf0\x9f\x98"),
		  TEXT("\xef\xbf\xbdz\xef\xbf\xbd")),
	    "escape: characters that are cut short are one each");
	check(escapes(TEXT("\xc3"), TEXT("\xef\xbf\xbd")),
	    "escape: also at the end");
	buffer_escape(&b, TEXT("\"\\\n"), "");
	check(holds(TEXT("\"\\\\n")), "escape: nothing is quoted");
}

static void
check_json(void)
{
	json_open(&b, NULL, '{');
	json_string(&b, "a\"", "x");
	json_number(&b, "n", -1);
	json_open(&b, "list", '[');
	json_number(&b, NULL, 1);
	json_bool(&b, NULL, true);
	json_null(&b, NULL);
	json_open(&b, NULL, '{');
	json_close(&b, '}');
	json_close(&b, ']');
	json_bool(&b, "b", false);
	json_text(&b, "t", TEXT("{[,"));
	json_null(&b, "z");
	json_close(&b, '}');
	check(holds(TEXT("{\"a\\\"\":\"x\",\"n\":-1,\"list\":[1,true,null,{}],"
			 "\"b\":false,\"t\":\"{[,\",\"z\":null}")),
	    "json: commas stand where they belong");
}

struct member {
	struct text expected;
	bool is_right;
};

static bool
on_member(void *cookie, size_t index, struct text name, struct text value,
    const char *type)
{
	struct member *m = cookie;

	(void)index;
	(void)type;
	if (name.bytes != NULL)
		m->is_right = text_equal(value, m->expected);
	return true;
}

/* SQLite reads any UTF-8 without NUL as it was; other bytes give UTF-8. */
static void
check_json_random(struct log *j)
{
	static const char alphabet[] =
	    "a\"\\/\n\x01\x1f\x7f\xc3\xbc\xe2\x82\xac"
	    "\xf0\x9f\x98\x80\xc2\x9b\xff";
	bool is_right = true;

	for (int i = 0; i < ROUNDS && is_right; i++) {
		struct text t =
		    tap_random_text(alphabet, sizeof(alphabet) - 1, 40);
		bool is_valid = utf8_is_valid(t), is_array;
		struct member m = { .expected = t };
		char why[LOG_WHY_MAX] = "";
		struct text json;

		json_open(&b, NULL, '{');
		json_text(&b, "t", t);
		json_close(&b, '}');
		json = (struct text){ b.bytes, b.len };
		is_right = utf8_is_valid(json) &&
		    memchr(b.bytes, '\n', b.len) == NULL &&
		    log_read_json(j, json, &is_array, on_member, &m, why) ==
			LOG_OK &&
		    (!is_valid || m.is_right);
		if (!is_right)
			printf("# %.*s %s\n", (int)b.len, b.bytes, why);
		buffer_clear(&b);
		tap_free_text(t);
	}
	check(is_right, "json: random texts come back");
}

/* ---- record ---- */

static void
check_record(void)
{
	struct event e =
	    tap_event(7, TEXT(""), TEXT("message"), TEXT("a\tb\n\\\""));

	e.created_ms = 1795282434947;
	record_add(&b, RECORD_LINE, &e);
	check(holds(TEXT("7\t2026-11-21T17:33:54Z\t\tmessage\ta\\u0009b\\n"
			 "\\\"\n")),
	    "record: a line");
	e.created_ms = 5;
	record_add(&b, RECORD_JSON, &e);
	check(holds(TEXT("{\"id\":7,\"data\":\"a\\u0009b\\n\\\\\\\"\","
			 "\"created_ms\":5}\n")),
	    "record: JSON leaves out what is as usual");
	record_add(&b, RECORD_SSE, &e);
	check(holds(TEXT("id: 7\ndata: a\tb\ndata: \\\"\n\n")),
	    "record: as a stream has it");
	e = tap_event(7, TEXT("t"), TEXT("messages"), TEXT(""));
	e.key = TEXT("k");
	e.retry_ms = 0;
	e.created_ms = INT64_MAX;
	record_add(&b, RECORD_JSON, &e);
	check(holds(TEXT("{\"id\":7,\"topic\":\"t\",\"event\":\"messages\","
			 "\"data\":\"\",\"retry\":0,\"key\":\"k\","
			 "\"created_ms\":9223372036854775807}\n")),
	    "record: JSON has all the rest");
	e.created_ms = -1;
	record_add(&b, RECORD_LINE, &e);
	check(holds(TEXT("7\t-1\tt\tmessages\t\n")),
	    "record: a time before 1970 is a number");
	e.created_ms = INT64_MAX;
	record_add(&b, RECORD_LINE, &e);
	check(b.len > 0 && b.bytes[b.len - 1] == '\n',
	    "record: so may be one beyond the calendar");
	buffer_clear(&b);
}

static void
check_notices(void)
{
	static const enum record_form forms[] = { RECORD_LINE, RECORD_JSON };

	for (size_t i = 0; i < 2; i++) {
		record_start(&b, forms[i], 5);
		record_silence(&b, forms[i], 5);
	}
	check(holds(TEXT("")), "record: start and silence are a stream's");
	record_start(&b, RECORD_SSE, 5);
	record_silence(&b, RECORD_SSE, 0);
	record_silence(&b, RECORD_SSE, 6);
	check(holds(TEXT("retry: 3000\nid: 5\n\n:\n\n:\n\nid: 6\n\n")),
	    "record: start and silence");
	record_gap(&b, RECORD_SSE, 1, 3);
	record_reset(&b, RECORD_SSE, 9, 4);
	check(holds(TEXT("event: stream-gap\ndata: {\"after\":1,\"next\":3}\n\n"
			 "event: stream-reset\nid: 4\n"
			 "data: {\"after\":9,\"head\":4}\n\n")),
	    "record: gap and reset as a stream has them");
	record_gap(&b, RECORD_JSON, 1, 3);
	check(holds(TEXT("{\"event\":\"stream-gap\",\"data\":"
			 "\"{\\\"after\\\":1,\\\"next\\\":3}\"}\n")),
	    "record: a gap as JSON");
	record_reset(&b, RECORD_JSON, 9, 4);
	check(holds(TEXT("{\"event\":\"stream-reset\",\"data\":"
			 "\"{\\\"after\\\":9,\\\"head\\\":4}\"}\n")),
	    "record: and as JSON, in the shape of an event");
}

int
main(void)
{
	struct log *j = log_open_memory();

	if (j == NULL)
		abort();
	tap_seed();
	check_buffer();
	check_escape();
	check_json();
	check_json_random(j);
	check_record();
	check_notices();
	log_close(j);
	buffer_free(&b);
	return tap_end();
}
