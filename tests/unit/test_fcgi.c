/*
 * fcgi: which bytes are a request, what libfcgi makes of it, and how records
 * are written.
 */
#include "records.h"

#include <signal.h>

/* One for all requests, as the programs have it. */
static struct libfcgi_pair pair;

static struct bytes a, p, content;

/* The request whose PARAMS are p. */
static bool
params_are(enum records_scan expected)
{
	put_request(&a, &p);
	return is(&a, expected);
}

/* ---- scanning ---- */

static void
check_whole(void)
{
	char **vars = NULL;
	size_t left, used;

	p.len = 0;
	check(params_are(RECORDS_WHOLE), "scan: a request without variables");
	put_pair(&p, string("NAME"), string("value"), false);
	put_pair(&p, string("EMPTY"), string(""), false);
	put_pair(&p, string(""), string("x"), false);
	check(params_are(RECORDS_WHOLE),
	    "scan: names and values, empty ones too");
	check(scan(a.b, a.len, &left, &used) == RECORDS_WHOLE &&
		used == a.len && left == a.len,
	    "scan: used is the length of the request");
	put(&a, "more", 4);
	check(scan(a.b, a.len, &left, &used) == RECORDS_WHOLE &&
		used == a.len - 4 && left == a.len,
	    "scan: what follows is not part of it");
	check(is(&(struct bytes){ .len = 0 }, RECORDS_PARTIAL),
	    "scan: nothing yet is partial");
	a.len = 0;
	put_begin(&a, 0xffff, 1, 0xff, 255);
	put_record(&a, PARAMS, 0xffff, p.b, p.len, 255);
	put_record(&a, PARAMS, 0xffff, NULL, 0, 255);
	put_record(&a, STDIN, 0xffff, NULL, 0, 255);
	check(is(&a, RECORDS_WHOLE),
	    "scan: the largest id, padding everywhere, unknown flags");
	vars = libfcgi_parse(&pair, a.b, a.len);
	check(vars != NULL && strcmp(vars[1], "NAME=value") == 0 &&
		strcmp(vars[3], "=x") == 0 && vars[4] == NULL,
	    "parse: that one, though libfcgi reads padding of BEGIN_REQUEST");
	free(vars);
}

static void
check_stdin(void)
{
	struct records_scanner scanner = { 0 };
	struct bytes *plain = &p;
	size_t left, used;

	plain->len = 0;
	put_begin(plain, 1, 1, 0, 0);
	put_record(plain, PARAMS, 1, NULL, 0, 0);
	a = *plain;
	put_record(&a, STDIN, 1, "body", 4, 4);
	put_record(&a, STDIN, 1, "b", 1, 0);
	left = a.len;
	check(records_scan(&scanner, a.b, &left, &used) == RECORDS_PARTIAL &&
		left == plain->len && memcmp(a.b, plain->b, left) == 0,
	    "scan: STDIN is cut out before its end has come");
	a.len = left;
	put_record(&a, STDIN, 1, content.b, 65535, 255);
	put_record(&a, STDIN, 1, NULL, 0, 0);
	put(&a, "next", 4);
	put_record(plain, STDIN, 1, NULL, 0, 0);
	left = a.len;
	check(records_scan(&scanner, a.b, &left, &used) == RECORDS_WHOLE &&
		used == plain->len && left == used + 4 &&
		memcmp(a.b, plain->b, used) == 0 &&
		memcmp(a.b + used, "next", 4) == 0,
	    "scan: and what follows moves up");
}

static void
check_bad_records(void)
{
	struct bytes good;

	p.len = 0;
	put_pair(&p, string("A"), string("b"), false);
	put_request(&good, &p);
	/* headers stand at 0 (BEGIN), 16 (PARAMS), 28 (its end), 36 (STDIN) */
	for (size_t at = 0; at < good.len; at += at == 0 ? 16 :
		 at == 16                                ? 12 :
							   8) {
		a = good;
		a.b[at] = 2;
		check(is(&a, RECORDS_BAD), "scan: version 2 at byte %zu", at);
		a.len = at + 1;
		check(is(&a, RECORDS_BAD), "scan: at once, at byte %zu", at);
		if (at == 0)
			continue;
		a = good;
		a.b[at + 3] = 2;
		check(is(&a, RECORDS_BAD), "scan: another id at byte %zu", at);
		a.b[at + 3] = 0;
		check(is(&a, RECORDS_BAD), "scan: id 0 at byte %zu", at);
		for (uint8_t type = 0; type < 13; type++) {
			if (type == good.b[at + 1])
				continue;
			a = good;
			a.b[at + 1] = type;
			/* the last PARAMS record may not turn into STDIN */
			check(is(&a, RECORDS_BAD), "scan: type %d at byte %zu",
			    type, at);
		}
	}
}

static void
check_bad_begin(void)
{
	uint8_t body[9] = { 0, 1 };

	for (int role = 0; role < 300; role += role == 3 ? 253 : 1) {
		a.len = 0;
		put_begin(&a, 1, role, 0, 0);
		check(is(&a, role == 1 ? RECORDS_PARTIAL : RECORDS_BAD),
		    "scan: role %d", role);
	}
	a.len = 0;
	put_begin(&a, 0, 1, 0, 0);
	check(is(&a, RECORDS_BAD), "scan: BEGIN_REQUEST with id 0");
	a.len = 0;
	put_record(&a, BEGIN, 1, body, 7, 0);
	check(is(&a, RECORDS_BAD), "scan: BEGIN_REQUEST too short");
	a.len = 0;
	put_record(&a, BEGIN, 1, body, 9, 0);
	check(is(&a, RECORDS_BAD), "scan: BEGIN_REQUEST too long");
	for (int type = 2; type < 13; type++) {
		a.len = 0;
		put_record(&a, type, 1, NULL, 0, 0);
		check(is(&a, RECORDS_BAD), "scan: type %d comes first", type);
	}
	a.len = 0;
	put_begin(&a, 1, 1, 0, 0);
	put_record(&a, ABORT, 1, NULL, 0, 0);
	check(is(&a, RECORDS_BAD), "scan: aborted before it was whole");
	a.len = 0;
	put_begin(&a, 1, 1, 0, 0);
	put_record(&a, STDIN, 1, NULL, 0, 0);
	check(is(&a, RECORDS_BAD), "scan: STDIN before the end of PARAMS");
}

static void
check_bad_params(void)
{
	p.len = 0;
	put(&p, "\1", 1);
	check(params_are(RECORDS_BAD), "scan: PARAMS end in the lengths");
	put(&p, "\1N", 2);
	check(params_are(RECORDS_BAD), "scan: PARAMS end in a value");
	put(&p, "v", 1);
	check(params_are(RECORDS_WHOLE), "scan: one byte more and it is whole");
	put(&p, "\0", 1);
	check(params_are(RECORDS_BAD), "scan: one byte beyond");
	for (size_t i = 1; i < 4; i++) {
		p.len = 0;
		put(&p, "\x80\0\0\1", i);
		check(params_are(RECORDS_BAD),
		    "scan: a long length of %zu bytes", i);
	}
	p.len = 0;
	put(&p, "\x80\0\0\1\1N", 6);
	check(params_are(RECORDS_BAD), "scan: a long length beyond PARAMS");
	put(&p, "v", 1);
	check(params_are(RECORDS_WHOLE), "scan: one in its place");
	p.len = 0;
	put(&p, "\xff\xff\xff\xff\xff\xff\xff\xffNv", 10);
	check(params_are(RECORDS_BAD), "scan: the longest lengths");
	p.len = 0;
	put_pair(&p, TEXT("N\0"), string("v"), false);
	check(params_are(RECORDS_BAD), "scan: NUL in a name");
	p.len = 0;
	put_pair(&p, string("N"), TEXT("\0v"), false);
	check(params_are(RECORDS_BAD), "scan: NUL in a value");
}

static void
check_bounds(void)
{
	/* BEGIN, one header, the end of PARAMS: what is left is content */
	size_t room = RECORDS_REQUEST_MAX - 16 - 8 - 8;
	char **vars = NULL;
	struct text value;

	for (size_t over = 0; over < 2; over++) {
		value.bytes = (const char *)content.b;
		value.len = room - 1 - 5 + over;
		p.len = 0;
		put_pair(&p, string("N"), value, false);
		check(params_are(over == 0 ? RECORDS_WHOLE : RECORDS_BAD),
		    "scan: %zu bytes over the bound", over);
		if (over == 1)
			break;
		vars = libfcgi_parse(&pair, a.b, a.len);
		check(vars != NULL && strlen(vars[1]) == value.len + 2,
		    "parse: a request at the bound");
		free(vars);
	}
	a.len = 0;
	put_begin(&a, 1, 1, 0, 0);
	put_record(&a, PARAMS, 1, content.b, 65535, 0);
	a.len = 16 + 8;
	check(is(&a, RECORDS_BAD),
	    "scan: beyond the bound, known from the header alone");
}

static void
check_management(void)
{
	size_t left, used;

	for (int type = 0; type < 256; type++) {
		bool is_good;

		if (type == BEGIN)
			continue;
		a.len = 0;
		put_record(&a, type, 0, "content", 7, 1);
		is_good = scan(a.b, a.len, &left, &used) == RECORDS_MANAGE &&
		    used == a.len && left == a.len;
		a.len--;
		is_good = is_good && is(&a, RECORDS_PARTIAL);
		if (!is_good || type == GET_VALUES || type == 255)
			check(is_good, "scan: management record of type %d",
			    type);
	}
	put_request(&a, &p);
	check(!is(&a, RECORDS_MANAGE), "scan: a request is none");
}

static void
check_abort(void)
{
	a.len = 0;
	put_record(&a, ABORT, 1, NULL, 0, 0);
	check(records_is_abort(a.b, a.len), "abort: is one");
	check(!records_is_abort(a.b, a.len - 1), "abort: has not all come");
	a.b[1] = STDIN;
	check(!records_is_abort(a.b, a.len), "abort: another record");
}

/* ---- bodies ---- */

/* The body in a, taken in pieces of that size: what is in it and how it ends.
   *used is how many bytes were taken. */
static enum records_body
take_body(size_t piece, struct bytes *body, size_t *used)
{
	struct records_body_reader reader = { .id = 1 };
	enum records_body result = RECORDS_BODY_MORE;

	body->len = *used = 0;
	while (*used < a.len &&
	    (result == RECORDS_BODY_MORE || result == RECORDS_BODY_CONTENT)) {
		struct text part = { NULL, 0 };
		size_t len = a.len - *used < piece ? a.len - *used : piece;
		size_t taken = 0;

		result =
		    records_take_body(&reader, a.b + *used, len, &taken, &part);
		if (result == RECORDS_BODY_CONTENT)
			put(body, part.bytes, part.len);
		*used += taken;
	}
	return result;
}

/* Does the body in a end like that, with this content and with rest bytes left,
   in pieces of any size? */
static bool
body_is(enum records_body expected, const char *text, size_t rest)
{
	static struct bytes body;

	for (size_t piece = 1; piece <= a.len; piece++) {
		size_t used;

		if (take_body(piece, &body, &used) != expected ||
		    body.len != strlen(text) ||
		    memcmp(body.b, text, body.len) != 0 || a.len - used != rest)
			return false;
	}
	return true;
}

static void
check_body(void)
{
	struct bytes *first = &p;

	first->len = 0;
	put_record(first, STDIN, 1, "one", 3, 5);
	a = *first;
	check(body_is(RECORDS_BODY_MORE, "one", 0), "body: more is to come");
	put_record(&a, STDIN, 1, " two", 4, 0);
	put_record(&a, STDIN, 1, NULL, 0, 0);
	put(&a, "next", 4);
	check(body_is(RECORDS_BODY_END, "one two", 4),
	    "body: the contents of the records, without their padding");
	a = *first;
	put_record(&a, STDIN, 1, NULL, 0, 7);
	put(&a, "next", 4);
	check(body_is(RECORDS_BODY_END, "one", 4),
	    "body: the padding of the last record is part of it");
	a = *first;
	put_record(&a, ABORT, 1, NULL, 0, 0);
	check(body_is(RECORDS_BODY_ABORT, "one", 0), "body: aborted");
	for (int at = 0; at < 4; at++) {
		if (at == 2) /* the high byte of the id */
			continue;
		a = *first;
		put_record(&a, STDIN, 1, NULL, 0, 0);
		a.b[first->len + (size_t)at] = 9;
		check(body_is(RECORDS_BODY_BAD, "one", 0),
		    "body: a wrong header, byte %d", at);
	}
}

/* ---- parsing ---- */

/* libfcgi puts the role in front. */
static bool
parses_to(const char *const *expected, size_t n)
{
	char **vars = NULL;
	bool is_good;

	put_request(&a, &p);
	if (is(&a, RECORDS_WHOLE))
		vars = libfcgi_parse(&pair, a.b, a.len);
	if (vars == NULL)
		return false;
	is_good = strcmp(vars[0], "FCGI_ROLE=RESPONDER") == 0;
	for (size_t i = 0; i < n && is_good; i++)
		is_good = vars[i + 1] != NULL &&
		    strcmp(vars[i + 1], expected[i]) == 0;
	is_good = is_good && vars[n + 1] == NULL;
	free(vars);
	return is_good;
}

static void
check_parse(void)
{
	static const char *const some[] = { "A=b", "EMPTY=", "=v", "A=again",
		"X=1=2", "Y==" };
	char **vars = NULL;

	p.len = 0;
	check(parses_to(NULL, 0), "parse: no variables");
	put_pair(&p, string("A"), string("b"), false);
	put_pair(&p, string("EMPTY"), string(""), true);
	put_pair(&p, string(""), string("v"), false);
	put_pair(&p, string("A"), string("again"), true);
	put_pair(&p, string("X=1"), string("2"), false);
	put_pair(&p, string("Y"), string("="), false);
	check(parses_to(some, 6), "parse: all variables, in their order");
	for (int flags = 0; flags < 4; flags++) {
		a.len = 0;
		put_begin(&a, 0xabcd, 1, flags, 0);
		put_record(&a, PARAMS, 0xabcd, NULL, 0, 0);
		put_record(&a, STDIN, 0xabcd, NULL, 0, 0);
		vars = libfcgi_parse(&pair, a.b, a.len);
		check(vars != NULL && records_request_id(a.b) == 0xabcd &&
			records_keeps_connection(a.b) == ((flags & 1) != 0),
		    "parse: the request id, and flags %d", flags);
		free(vars);
	}
}

/* ---- records ---- */

static void
check_records(void)
{
	static const uint8_t header[8] = { 1, STDOUT, 0xab, 0xcd, 0xff, 0xff, 0,
		0 };
	static const uint8_t end[24] = { 1, STDOUT, 0xab, 0xcd, 0, 0, 0, 0, 1,
		END, 0xab, 0xcd, 0, 8, 0, 0 };
	uint8_t out[RECORDS_END_BYTES];

	memset(out, 0xee, sizeof(out));
	records_put_stdout(out, 0xabcd, RECORDS_CONTENT_MAX);
	check(memcmp(out, header, sizeof(header)) == 0 && out[8] == 0xee,
	    "write: the header of the largest record");
	records_put_end(out, 0xabcd);
	check(memcmp(out, end, sizeof(end)) == 0,
	    "write: the end of STDOUT and of the request");
}

static void
check_replies(void)
{
	static const uint8_t unknown[16] = { 1, UNKNOWN, 0, 0, 0, 8, 0, 0, 99 };
	static const char values[] = "\1\12\0\0\0\22\0\0\17\1FCGI_MPXS_CONNS0";
	uint8_t out[RECORDS_REPLY_MAX_BYTES];

	a.len = 0;
	put_record(&a, 99, 0, "what?", 5, 3);
	check(records_put_reply(a.b, a.len, out) == 16 &&
		memcmp(out, unknown, 16) == 0,
	    "reply: UNKNOWN_TYPE names the type");
	a.len = p.len = 0;
	put_pair(&p, string("FCGI_MAX_CONNS"), string(""), false);
	put_pair(&p, string("FCGI_MPXS_CONNS"), string(""), false);
	put_record(&a, GET_VALUES, 0, p.b, p.len, 0);
	check(records_put_reply(a.b, a.len, out) == 26 &&
		memcmp(out, values, 26) == 0,
	    "reply: no multiplexing");
	a.len = 0;
	put_record(&a, GET_VALUES, 0, p.b, 16, 0);
	check(records_put_reply(a.b, a.len, out) == 8 && out[1] == RESULT &&
		out[5] == 0,
	    "reply: to unknown names none");
	p.len = 0;
	for (int i = 0; i < 1000; i++)
		put_pair(&p, string("FCGI_MPXS_CONNS"), string(""), false);
	a.len = 0;
	put_record(&a, GET_VALUES, 0, p.b, p.len, 0);
	check(records_put_reply(a.b, a.len, out) == 26,
	    "reply: to a thousand names likewise");
}

int
main(void)
{
	memset(content.b, 'x', sizeof(content.b));
	check(libfcgi_init() == 0, "libfcgi starts");
	check(signal(SIGTERM, SIG_DFL) == SIG_DFL &&
		signal(SIGUSR1, SIG_DFL) == SIG_DFL,
	    "libfcgi handles neither SIGTERM nor SIGUSR1");
	check_whole();
	check_stdin();
	check_bad_records();
	check_bad_begin();
	check_bad_params();
	check_bounds();
	check_management();
	check_abort();
	check_body();
	check_parse();
	check_records();
	check_replies();
	return tap_end();
}
