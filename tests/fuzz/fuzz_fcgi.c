/*
 * records_scan() over any bytes, as they come over a connection: first all at
 * once, then in two parts, which must end the same.  What is whole goes to
 * libfcgi, which must not abort, and its variables must be those that an
 * independent reading of the records finds.  The same for heads, and for bodies
 * that are taken as they come.
 *
 * Covers: lib/fastcgi/records.c lib/fastcgi/libfcgi.c
 */
#include "fuzz.h"

#include "lib/fastcgi/libfcgi.h"
#include "lib/fastcgi/records.h"

#define VARS_MAX 4096

enum { BEGIN = 1, PARAMS = 4, STDIN = 5 };

/* A request, read by the book: FastCGI 1.0, 3.3, 3.4, 5.1, 5.2. */
struct reading {
	uint8_t params[RECORDS_REQUEST_MAX];
	size_t params_len;
	char text[2 * RECORDS_REQUEST_MAX]; /* "NAME=value" and NUL, in a row */
	const char *vars[VARS_MAX];
	size_t n;
	size_t total;
	unsigned id;
	bool keep;
};

/* One for all requests, as the programs have it. */
static struct libfcgi_pair pair;

static size_t
content_len(const uint8_t *header)
{
	return (size_t)header[4] << 8 | header[5];
}

/* Join the PARAMS; check that what was called whole is well-formed. */
static void
read_records(struct reading *r, const uint8_t *b, size_t used)
{
	size_t at = 16 + (size_t)b[6];
	int stage = PARAMS;

	require(used >= at && b[0] == 1 && b[1] == BEGIN);
	require(content_len(b) == 8 && b[8] == 0 && b[9] == 1);
	r->id = (unsigned)b[2] << 8 | b[3];
	require(r->id != 0);
	r->keep = b[10] & 1;
	r->params_len = 0;
	while (stage != 0) {
		const uint8_t *h = b + at;
		size_t len;

		require(used - at >= 8);
		len = content_len(h);
		require(used - at >= 8 + len + h[6]);
		require(h[0] == 1 && h[1] == stage);
		require(((unsigned)h[2] << 8 | h[3]) == r->id);
		require(stage == PARAMS || len == 0); /* was cut out */
		memcpy(r->params + r->params_len, h + 8, len);
		r->params_len += len;
		at += 8 + len + h[6];
		if (len == 0)
			stage = stage == PARAMS ? STDIN : 0;
	}
	require(at == used);
	r->total = at;
}

static size_t
read_length(const struct reading *r, size_t *at)
{
	const uint8_t *p = r->params + *at;

	require(*at < r->params_len);
	if (p[0] < 0x80) {
		*at += 1;
		return p[0];
	}
	require(r->params_len - *at >= 4);
	*at += 4;
	return (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 |
	    (size_t)p[2] << 8 | p[3];
}

static void
read_vars(struct reading *r)
{
	size_t at = 0, text = 0;

	r->n = 0;
	while (at < r->params_len && r->n < VARS_MAX) {
		size_t name = read_length(r, &at);
		size_t value = read_length(r, &at);

		require(name <= r->params_len - at);
		require(value <= r->params_len - at - name);
		r->vars[r->n++] = r->text + text;
		memcpy(r->text + text, r->params + at, name);
		r->text[text + name] = '=';
		memcpy(r->text + text + name + 1, r->params + at + name, value);
		text += name + value + 1;
		r->text[text++] = '\0';
		at += name + value;
	}
}

static void
parse(const uint8_t *bytes, size_t used)
{
	static struct reading r;
	char **vars;
	size_t n = 0;

	read_records(&r, bytes, used);
	read_vars(&r);
	require(records_request_id(bytes) == r.id);
	require(records_keeps_connection(bytes) == r.keep);
	vars = libfcgi_parse(&pair, bytes, used);
	if (vars == NULL)
		return;
	require(strcmp(vars[0], "FCGI_ROLE=RESPONDER") == 0);
	for (char **v = vars + 1; *v != NULL; v++, n++)
		require(
		    n == VARS_MAX || (n < r.n && strcmp(*v, r.vars[n]) == 0));
	require(n == r.n);
	free(vars);
}

static void
reply(const uint8_t *bytes, size_t used)
{
	uint8_t out[RECORDS_REPLY_MAX_BYTES];
	size_t len = records_put_reply(bytes, used, out);

	require(used == 8 + content_len(bytes) + bytes[6]);
	require(bytes[0] == 1 && bytes[2] == 0 && bytes[3] == 0);
	require(len <= sizeof(out) && len == 8 + content_len(out) + out[6]);
	require(out[1] == (bytes[1] == 9 ? 10 : 11));
}

struct outcome {
	enum records_scan scan;
	size_t used;
	size_t cut; /* bytes of STDIN */
};

/* Scan after each part has come. */
static struct outcome
come(const uint8_t *data, size_t size, size_t first, uint8_t *left)
{
	struct outcome o = { RECORDS_PARTIAL, 0, 0 };
	uint8_t *buffer = fuzz_copy(data, size);
	size_t len = 0, parts[2] = { first, size - first }, at = 0;
	struct records_scanner scanner = { 0 };

	for (size_t i = 0; i < 2 && o.scan == RECORDS_PARTIAL; i++) {
		size_t before;

		memcpy(buffer + len, data + at, parts[i]);
		len += parts[i];
		at += parts[i];
		before = len;
		o.scan = records_scan(&scanner, buffer, &len, &o.used);
		require(len <= before);
		o.cut += before - len;
	}
	if (o.scan == RECORDS_WHOLE || o.scan == RECORDS_MANAGE) {
		require(o.used <= len);
		memcpy(left, buffer, o.used);
	}
	/* who waits for more has room for it */
	require(o.scan != RECORDS_PARTIAL || len < RECORDS_BUFFER_MAX);
	free(buffer);
	return o;
}

static void
see_alike(const uint8_t *data, size_t size, size_t first,
    const struct outcome *whole, const uint8_t *left)
{
	static uint8_t other[RECORDS_BUFFER_MAX];
	struct outcome o = come(data, size, first, other);

	require(o.scan == whole->scan);
	if (o.scan != RECORDS_WHOLE && o.scan != RECORDS_MANAGE)
		return;
	require(o.used == whole->used);
	require(memcmp(other, left, o.used) == 0);
}

/* ---- for who takes bodies as they come ---- */

struct body {
	enum records_body end;
	uint8_t bytes[RECORDS_BUFFER_MAX];
	size_t len;
};

/* STDIN records, by the book. */
static void
read_body(struct body *b, unsigned id, const uint8_t *bytes, size_t len)
{
	b->len = 0;
	b->end = RECORDS_BODY_MORE;
	while (len >= 8) {
		size_t content = content_len(bytes), padding = bytes[6];
		bool is_last = content == 0;

		b->end = RECORDS_BODY_BAD;
		if (bytes[0] != 1 || ((unsigned)bytes[2] << 8 | bytes[3]) != id)
			return;
		b->end = RECORDS_BODY_ABORT;
		if (bytes[1] == 2)
			return;
		b->end = RECORDS_BODY_BAD;
		if (bytes[1] != STDIN)
			return;
		b->end = RECORDS_BODY_MORE;
		bytes += 8;
		len -= 8;
		if (content > len)
			content = len;
		memcpy(b->bytes + b->len, bytes, content);
		b->len += content;
		bytes += content;
		len -= content;
		if (padding > len)
			return;
		bytes += padding;
		len -= padding;
		b->end = is_last ? RECORDS_BODY_END : RECORDS_BODY_MORE;
		if (is_last)
			return;
	}
}

/* The same, by records_take_body(), from one part. */
static void
take_body(struct body *b, struct records_body_reader *reader,
    const uint8_t *bytes, size_t len)
{
	uint8_t *copy = fuzz_copy(bytes, len);
	size_t at = 0, used;
	struct text content;

	while (at < len &&
	    (b->end == RECORDS_BODY_MORE || b->end == RECORDS_BODY_CONTENT)) {
		b->end = records_take_body(reader, copy + at, len - at, &used,
		    &content);
		require(used > 0 && used <= len - at);
		if (b->end == RECORDS_BODY_CONTENT) {
			require(content.bytes >= (char *)copy + at);
			require(content.bytes + content.len <=
			    (char *)copy + at + used);
			memcpy(b->bytes + b->len, content.bytes, content.len);
			b->len += content.len;
		}
		at += used;
	}
	free(copy);
}

static void
head_and_body(const uint8_t *data, size_t size, size_t cut)
{
	static struct body wanted, got;
	struct records_body_reader reader = { 0 };
	struct records_scanner scanner = { 0 };
	uint8_t *copy = fuzz_copy(data, size);
	enum records_scan scan;
	size_t used = 0;

	scan = records_scan_head(&scanner, copy, size, &used);
	require(records_is_abort(copy, size) == (size >= 8 && copy[1] == 2));
	free(copy);
	if (scan == RECORDS_MANAGE)
		reply(data, used);
	if (scan != RECORDS_WHOLE)
		return;
	require(used <= size);
	reader.id = (uint16_t)(data[2] << 8 | data[3]);
	data += used;
	size -= used;
	read_body(&wanted, reader.id, data, size);
	got.len = 0;
	got.end = RECORDS_BODY_MORE;
	cut = cut < size ? cut : size;
	take_body(&got, &reader, data, cut);
	take_body(&got, &reader, data + cut, size - cut);
	if (got.end == RECORDS_BODY_CONTENT)
		got.end = RECORDS_BODY_MORE;
	require(got.end == wanted.end && got.len == wanted.len);
	require(memcmp(got.bytes, wanted.bytes, got.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t left[RECORDS_BUFFER_MAX];
	static bool is_ready;
	struct outcome o;

	if (!is_ready)
		require(libfcgi_init() == 0);
	is_ready = true;
	if (size > RECORDS_BUFFER_MAX)
		return 0;
	o = come(data, size, size, left);
	if (o.scan == RECORDS_WHOLE)
		parse(left, o.used);
	if (o.scan == RECORDS_MANAGE)
		reply(left, o.used);
	head_and_body(data, size, size > 0 ? data[size / 2] : 0);
	/* the split is drawn from the input itself */
	if (size > 0)
		see_alike(data, size, (data[size / 2] * 257U) % size, &o, left);
	for (size_t i = 0; i < size && size < 100; i++)
		see_alike(data, size, i, &o, left);
	return 0;
}
