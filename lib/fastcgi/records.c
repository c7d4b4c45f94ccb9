/*
 * FastCGI records, read and written without I/O.
 *
 * records_scan() lets only whole, well-formed requests pass to libfcgi, which
 * aborts on some malformed ones and takes a request that broke off in PARAMS
 * for a whole one.  Numbers and layouts are those of the FastCGI 1.0
 * specification, section 8.
 */
#include "records.h"

#include <string.h>

enum {
	VERSION_1 = 1,
	BEGIN_REQUEST = 1,
	ABORT_REQUEST = 2,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	GET_VALUES = 9,
	GET_VALUES_RESULT = 10,
	UNKNOWN_TYPE = 11,
	RESPONDER = 1, /* a role */
	KEEP_CONN = 1, /* a flag of BEGIN_REQUEST */
	BEGIN_BODY_BYTES = 8,
	END_BODY_BYTES = 8,
	UNKNOWN_BODY_BYTES = 8,
};

struct record {
	uint8_t type;
	uint16_t id;
	size_t content_len;
	size_t total_len;
};

/* Read the header at the front; false if it is incomplete. */
static bool
read_header(const uint8_t *b, size_t len, struct record *r)
{
	if (len < RECORDS_HEADER_BYTES)
		return false;
	r->type = b[1];
	r->id = (uint16_t)(b[2] << 8 | b[3]);
	r->content_len = (size_t)(b[4] << 8 | b[5]);
	r->total_len = RECORDS_HEADER_BYTES + r->content_len + b[6];
	return true;
}

/*
 * The contents of consecutive PARAMS records, read as one run of bytes.
 */
struct params {
	const uint8_t *at; /* next byte */
	size_t in_record;  /* content bytes left in this record */
	size_t padding;    /* of this record */
};

/* The next byte; -1 at the end, which is the record without content. */
static int
params_byte(struct params *p)
{
	while (p->in_record == 0) {
		struct record r;

		p->at += p->padding;
		(void)read_header(p->at, RECORDS_HEADER_BYTES, &r);
		if (r.content_len == 0)
			return -1;
		p->at += RECORDS_HEADER_BYTES;
		p->in_record = r.content_len;
		p->padding = r.total_len - RECORDS_HEADER_BYTES - r.content_len;
	}
	p->in_record--;
	return *p->at++;
}

/* A length of one or four bytes; -1 if PARAMS end within it, -2 if they end
   before it. */
static int64_t
params_length(struct params *p)
{
	int64_t length = params_byte(p);

	if (length < 0)
		return -2;
	if (length < 0x80)
		return length;
	length &= 0x7f;
	for (int i = 0; i < 3; i++) {
		int c = params_byte(p);

		if (c < 0)
			return -1;
		length = length << 8 | c;
	}
	return length;
}

/* Returns whether names and values fill the PARAMS records here exactly. */
static bool
params_are_whole(const uint8_t *first)
{
	struct params p = { .at = first };

	for (;;) {
		int64_t name_len = params_length(&p), value_len;

		if (name_len == -2)
			return true;
		value_len = name_len < 0 ? -1 : params_length(&p);
		if (value_len < 0)
			return false;
		for (int64_t i = 0; i < name_len + value_len; i++)
			if (params_byte(&p) <= 0)
				return false;
	}
}

uint16_t
records_request_id(const uint8_t *request)
{
	return (uint16_t)(request[2] << 8 | request[3]);
}

bool
records_keeps_connection(const uint8_t *request)
{
	return (request[RECORDS_HEADER_BYTES + 2] & KEEP_CONN) != 0;
}

static bool
is_our_begin(const uint8_t *b, const struct record *r)
{
	return r->type == BEGIN_REQUEST && r->id != 0 &&
	    r->content_len == BEGIN_BODY_BYTES &&
	    (b[8] << 8 | b[9]) == RESPONDER;
}

static enum records_scan
scan_first(const uint8_t *bytes, size_t len, size_t *used)
{
	struct record r;

	if (len > 0 && bytes[0] != VERSION_1)
		return RECORDS_BAD;
	if (!read_header(bytes, len, &r))
		return RECORDS_PARTIAL;
	if (r.id == 0 && r.type != BEGIN_REQUEST) {
		*used = r.total_len;
		return len < r.total_len ? RECORDS_PARTIAL : RECORDS_MANAGE;
	}
	if (r.type != BEGIN_REQUEST)
		return RECORDS_BAD;
	if (len < r.total_len)
		return RECORDS_PARTIAL;
	*used = r.total_len;
	return is_our_begin(bytes, &r) ? RECORDS_WHOLE : RECORDS_BAD;
}

/*
 * Examine the next record, which must have this type and id.
 *   returns  RECORDS_WHOLE if it is complete; *r is what is known of it
 */
static enum records_scan
scan_record(const uint8_t *bytes, size_t len, uint8_t type, uint16_t id,
    struct record *r)
{
	*r = (struct record){ 0 };
	if (len > 0 && bytes[0] != VERSION_1)
		return RECORDS_BAD;
	if (!read_header(bytes, len, r))
		return RECORDS_PARTIAL;
	if (r->id != id || r->type != type)
		return RECORDS_BAD;
	return len < r->total_len ? RECORDS_PARTIAL : RECORDS_WHOLE;
}

enum records_scan
records_scan_head(struct records_scanner *s, const uint8_t *bytes, size_t len,
    size_t *used)
{
	enum records_scan scan;
	struct record r;

	if (s->params == 0) {
		scan = scan_first(bytes, len, used);
		if (scan != RECORDS_WHOLE)
			return scan;
		s->at = s->params = *used;
	}
	while (s->head == 0) {
		scan = scan_record(bytes + s->at, len - s->at, PARAMS,
		    records_request_id(bytes), &r);
		if (scan == RECORDS_BAD ||
		    s->at + r.total_len > RECORDS_REQUEST_MAX)
			return RECORDS_BAD;
		if (scan == RECORDS_PARTIAL)
			return RECORDS_PARTIAL;
		s->at += r.total_len;
		if (r.content_len > 0)
			continue;
		if (!params_are_whole(bytes + s->params))
			return RECORDS_BAD;
		s->head = s->at;
	}
	*used = s->head;
	return RECORDS_WHOLE;
}

enum records_scan
records_scan(struct records_scanner *s, uint8_t *bytes, size_t *len,
    size_t *used)
{
	enum records_scan scan = records_scan_head(s, bytes, *len, used);
	size_t end = *used; /* of the STDIN records with content */
	struct record r;

	if (scan != RECORDS_WHOLE)
		return scan;
	while ((scan = scan_record(bytes + end, *len - end, STDIN,
		    records_request_id(bytes), &r)) == RECORDS_WHOLE &&
	    r.content_len > 0)
		end += r.total_len;
	*len -= end - s->head;
	if (end > s->head)
		memmove(bytes + s->head, bytes + end, *len - s->head);
	if (scan == RECORDS_WHOLE)
		*used = s->head + r.total_len;
	return scan;
}

enum records_body
records_take_body(struct records_body_reader *b, const uint8_t *bytes,
    size_t len, size_t *used, struct text *content)
{
	struct record r;
	size_t n;

	*used = 0;
	while (*used < len) {
		if (b->content > 0) {
			n = len - *used < b->content ? len - *used : b->content;
			*content =
			    (struct text){ (const char *)bytes + *used, n };
			b->content -= n;
			*used += n;
			return RECORDS_BODY_CONTENT;
		}
		if (b->padding > 0) {
			n = len - *used < b->padding ? len - *used : b->padding;
			b->padding -= n;
			*used += n;
			if (b->is_last && b->padding == 0)
				return RECORDS_BODY_END;
			continue;
		}
		b->header[b->header_len++] = bytes[(*used)++];
		if (!read_header(b->header, b->header_len, &r))
			continue;
		b->header_len = 0;
		b->content = r.content_len;
		b->padding = r.total_len - RECORDS_HEADER_BYTES - r.content_len;
		if (b->header[0] != VERSION_1 || r.id != b->id)
			return RECORDS_BODY_BAD;
		if (r.type == ABORT_REQUEST)
			return RECORDS_BODY_ABORT;
		if (r.type != STDIN)
			return RECORDS_BODY_BAD;
		/* read its padding, too: the next request follows it */
		b->is_last = r.content_len == 0;
		if (b->is_last && b->padding == 0)
			return RECORDS_BODY_END;
	}
	return RECORDS_BODY_MORE;
}

bool
records_is_abort(const uint8_t *bytes, size_t len)
{
	struct record r;

	return read_header(bytes, len, &r) && r.type == ABORT_REQUEST;
}

static void
write_header(uint8_t *out, uint8_t type, uint16_t id, size_t len)
{
	out[0] = VERSION_1;
	out[1] = type;
	out[2] = (uint8_t)(id >> 8);
	out[3] = (uint8_t)(id & 0xff);
	out[4] = (uint8_t)(len >> 8 & 0xff);
	out[5] = (uint8_t)(len & 0xff);
	out[6] = 0; /* no padding: nginx delays a padded header record */
	out[7] = 0;
}

void
records_put_stdout(uint8_t out[RECORDS_HEADER_BYTES], uint16_t id, size_t len)
{
	write_header(out, STDOUT, id, len);
}

void
records_put_end(uint8_t out[RECORDS_END_BYTES], uint16_t id)
{
	write_header(out, STDOUT, id, 0);
	write_header(out + RECORDS_HEADER_BYTES, END_REQUEST, id,
	    END_BODY_BYTES);
	/* application status 0, FCGI_REQUEST_COMPLETE (0), reserved */
	memset(out + 2 * (size_t)RECORDS_HEADER_BYTES, 0, END_BODY_BYTES);
}

size_t
records_put_reply(const uint8_t *record, size_t used,
    uint8_t out[RECORDS_REPLY_MAX_BYTES])
{
	static const char values[] = "\017\001FCGI_MPXS_CONNS0";
	size_t len = 0;

	memset(out, 0, RECORDS_REPLY_MAX_BYTES);
	if (record[1] != GET_VALUES) {
		write_header(out, UNKNOWN_TYPE, 0, UNKNOWN_BODY_BYTES);
		out[RECORDS_HEADER_BYTES] = record[1];
		return RECORDS_HEADER_BYTES + UNKNOWN_BODY_BYTES;
	}
	if (memmem(record, used, "FCGI_MPXS_CONNS", 15) != NULL)
		len = sizeof(values) - 1;
	write_header(out, GET_VALUES_RESULT, 0, len);
	memcpy(out + RECORDS_HEADER_BYTES, values, len);
	return RECORDS_HEADER_BYTES + len;
}
