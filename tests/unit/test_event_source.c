/*
 * event_source: the browser that tests compare with.  The cases are the
 * standard's own examples (WHATWG HTML, 9.2.6) and each of its rules; all are
 * read whole, byte by byte and cut at every place.
 */
#include "tap.h"

#include "tests/oracle/event_source.h"

/* Blocks, written down: "type|data|id;" or "-|id;" where none was fired. */
static void
write_down(void *cookie, const struct event_source_block *b)
{
	struct tap_out *r = cookie;

	if (b->is_event) {
		tap_put(r, b->type);
		tap_put(r, TEXT("|"));
		tap_put(r, b->data);
	} else {
		tap_put(r, TEXT("-"));
	}
	tap_put(r, TEXT("|"));
	tap_put(r, b->id);
	tap_put(r, b->has_id ? TEXT("!;") : TEXT(";"));
}

/* In two parts, each in a heap block of its size. */
static void
feed(struct event_source *es, struct tap_out *r, struct text bytes, size_t cut)
{
	struct text a = tap_copy_text((struct text){ bytes.bytes, cut });
	struct text b =
	    tap_copy_text((struct text){ bytes.bytes + cut, bytes.len - cut });

	event_source_feed(es, a.bytes, a.len, write_down, r);
	event_source_feed(es, b.bytes, b.len, write_down, r);
	tap_free_text(a);
	tap_free_text(b);
}

static bool
gives(struct text bytes, struct text expected, int64_t retry_ms)
{
	bool is_good = true;

	for (size_t cut = 0; cut <= bytes.len + 1 && is_good; cut++) {
		struct event_source *es = event_source_new();
		struct tap_out r = { .len = 0 };

		if (cut <= bytes.len)
			feed(es, &r, bytes, cut);
		else
			for (size_t i = 0; i < bytes.len; i++)
				event_source_feed(es, bytes.bytes + i, 1,
				    write_down, &r);
		is_good = tap_has_put(&r, expected) &&
		    event_source_retry_ms(es) == retry_ms;
		if (!is_good)
			printf("# cut %zu: %.*s\n", cut, (int)r.len, r.bytes);
		event_source_free(es);
	}
	return is_good;
}

static void
check_cases(void)
{
	static const struct {
		const char *name;
		struct text bytes, blocks;
	} cases[] = {
#define CASE(name, bytes, blocks)                   \
	{                                           \
		name, { bytes, sizeof(bytes) - 1 }, \
		{                                   \
			blocks, sizeof(blocks) - 1  \
		}                                   \
	}
		CASE("the standard: three lines of data",
		    "data: YHOO\ndata: +2\ndata: 10\n\n",
		    "message|YHOO\n+2\n10|;"),
		CASE("the standard: comment, id, id reset, leading space",
		    ": test stream\n\ndata: first event\nid: 1\n\n"
		    "data:second event\nid\n\ndata:  third event",
		    "-|;message|first event|1!;message|second event|!;"),
		CASE("the standard: empty data, then unfinished",
		    "data\n\ndata\ndata\n\ndata:", "message||;message|\n|;"),
		CASE("the standard: one space after the colon is no matter",
		    "data:test\n\ndata: test\n\n",
		    "message|test|;message|test|;"),
		CASE("a type", "event: add\ndata: 1\n\n", "add|1|;"),
		CASE("the last type counts, and for one block",
		    "event: a\nevent: b\ndata: 1\n\ndata: 2\n\n",
		    "b|1|;message|2|;"),
		CASE("an empty type is the usual one",
		    "event: a\nevent:\ndata: 1\n\n", "message|1|;"),
		CASE("a type without data fires nothing, nor stays",
		    "event: a\n\ndata: 1\n\n", "-|;message|1|;"),
		CASE("CR", "data: a\rdata: b\r\rdata: c\r\r",
		    "message|a\nb|;message|c|;"),
		CASE("CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n",
		    "message|a\nb|;message|c|;"),
		CASE("mixed line ends", "data: a\r\n\rdata: b\n\rdata: c\r\n\n",
		    "message|a|;message|b|;message|c|;"),
		CASE("an id alone", "id: 7\n\ndata: a\n\n",
		    "-|7!;message|a|7;"),
		CASE("an id stays", "id: 7\ndata: a\n\ndata: b\n\n",
		    "message|a|7!;message|b|7;"),
		CASE("an id with NUL is ignored",
		    "id: 7\n\nid: 8\0\ndata: a\n\n", "-|7!;message|a|7;"),
		CASE("an id that was not dispatched does not count",
		    "id: 7\n\nid: 8\n", "-|7!;"),
		CASE("NUL elsewhere is a byte like others",
		    "event: a\0\ndata: \0\n\n", "a\0|\0|;"),
		CASE("colons in the value", "data: a: b\ndata::\n\n",
		    "message|a: b\n:|;"),
		CASE("only one space goes", "data:  a \n\n", "message| a |;"),
		CASE("a tab stays", "data:\ta\n\n", "message|\ta|;"),
		CASE("unknown fields, and those in other letters",
		    "Data: a\n data: b\nfoo\nfoo: c\ndatax: d\ndat: e\n\n",
		    "-|;"),
		CASE("comments", ":\n: x\n:data: y\ndata: a\n: z\n\n",
		    "message|a|;"),
		CASE("blank lines are no blocks", "\n\r\r\n\n\ndata: a\n\n\n\n",
		    "message|a|;"),
		CASE("no blank line, no event", "data: a\n", ""),
		CASE("a BOM at the begin",
		    "\xef\xbb\xbf"
		    "data: a\n\n",
		    "message|a|;"),
		CASE("a second BOM is part of the name",
		    "\xef\xbb\xbf\xef\xbb\xbf"
		    "data: a\n\n",
		    "-|;"),
		CASE("a BOM later is a byte like others",
		    "data: a\n\n\xef\xbb\xbf"
		    "data: b\n\n",
		    "message|a|;-|;"),
		CASE("a part of a BOM",
		    "\xef\xbb"
		    "data: a\n\n\xef\xbbid: 1\n\n",
		    "-|;-|;"),
		CASE("a part of a BOM, then CRLF", "\xef\r\ndata: a\n\n",
		    "message|a|;"),
		CASE("bytes that are no UTF-8", "data: \xff\xfe\n\n",
		    "message|\xff\xfe|;"),
#undef CASE
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(gives(cases[i].bytes, cases[i].blocks, EVENT_NO_RETRY),
		    "%s", cases[i].name);
}

static void
check_retry(void)
{
	check(gives(TEXT("retry: 0\n\n"), TEXT("-|;"), 0), "retry");
	check(gives(TEXT("retry:0099\n"), TEXT(""), 99),
	    "retry counts without a blank line");
	check(gives(TEXT("retry: 5\nretry: 6\n\n"), TEXT("-|;"), 6),
	    "the last retry counts");
	check(gives(TEXT("retry: 5\nretry:\nretry: -1\nretry: 1s\n"
			 "retry:  1\nretry: 1.0\n\n"),
		  TEXT("-|;"), 5),
	    "a retry that is not digits only is ignored");
	check(gives(TEXT("retry: 9223372036854775807\n"), TEXT(""), INT64_MAX),
	    "the longest retry");
	check(gives(TEXT("retry: 99999999999999999999999\n"), TEXT(""),
		  INT64_MAX),
	    "a retry beyond it");
}

static void
keep_retry(void *cookie, const struct event_source_block *b)
{
	*(int64_t *)cookie = b->retry_ms;
}

static void
check_retry_of_blocks(void)
{
	struct event_source *es = event_source_new();
	int64_t ms = 0;

	event_source_feed(es, "retry: 5\n\n", 10, keep_retry, &ms);
	check(ms == 5, "a block says its retry");
	event_source_feed(es, "data\n\n", 6, keep_retry, &ms);
	check(ms == EVENT_NO_RETRY && event_source_retry_ms(es) == 5,
	    "the next one has none, the stream has");
	event_source_free(es);
}

static void
check_reconnect(void)
{
	struct event_source *es = event_source_new();
	struct tap_out r = { .len = 0 };
	struct text first =
	    TEXT("id: 1\ndata: a\n\nid: 2\nevent: x\ndata: b\n");
	struct text second = TEXT("\xef\xbb\xbf"
				  "data: c\n\n");

	check(event_source_is_between(es), "nothing has begun");
	feed(es, &r, first, first.len);
	check(!event_source_is_between(es), "a block has begun");
	check(text_equal(event_source_id(es), TEXT("1")), "it has not counted");
	event_source_reconnect(es);
	check(event_source_is_between(es), "a new connection begins anew");
	feed(es, &r, second, 2);
	check(tap_has_put(&r, TEXT("message|a|1!;message|c|1;")),
	    "what was unfinished is lost, the id stays");
	check(text_equal(event_source_id(es), TEXT("1")), "last event id");
	check(event_source_is_between(es), "the block is over");
	event_source_feed(es, "data: a\r\n\r", 10, write_down, &r);
	check(event_source_is_between(es), "a block is over at its CR");
	event_source_feed(es, ":", 1, write_down, &r);
	check(!event_source_is_between(es), "half a line");
	event_source_free(es);
	event_source_free(NULL);
}

int
main(void)
{
	check_cases();
	check_retry();
	check_retry_of_blocks();
	check_reconnect();
	return tap_end();
}
