#ifndef ROWCAST_TEST_RECORDS_H
#define ROWCAST_TEST_RECORDS_H

#include "tap.h"

#include "lib/fastcgi/libfcgi.h"
#include "lib/fastcgi/records.h"

/*
 * FastCGI requests, built record by record, right or wrong.
 */

/* FastCGI 1.0, 8: types and roles. */
enum {
	BEGIN = 1,
	ABORT = 2,
	END = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	DATA = 8,
	GET_VALUES = 9,
	RESULT = 10,
	UNKNOWN = 11,
};

struct bytes {
	uint8_t b[4 * RECORDS_BUFFER_MAX];
	size_t len;
};

static inline void
put(struct bytes *to, const void *bytes, size_t len)
{
	if (len > sizeof(to->b) - to->len)
		abort();
	if (len > 0)
		memcpy(to->b + to->len, bytes, len);
	to->len += len;
}

static inline void
put_record(struct bytes *to, int type, unsigned id, const void *content,
    size_t len, size_t padding)
{
	const uint8_t header[8] = { 1, (uint8_t)type, (uint8_t)(id >> 8),
		(uint8_t)id, (uint8_t)(len >> 8), (uint8_t)len,
		(uint8_t)padding, 0 };
	static const uint8_t pad[255] = { 0xee, 0xee, 0xee };

	put(to, header, sizeof(header));
	put(to, content, len);
	put(to, pad, padding);
}

static inline void
put_begin(struct bytes *to, unsigned id, int role, int flags, size_t padding)
{
	const uint8_t body[8] = { (uint8_t)(role >> 8), (uint8_t)role,
		(uint8_t)flags };

	put_record(to, BEGIN, id, body, sizeof(body), padding);
}

static inline void
put_length(struct bytes *to, size_t len, bool is_long)
{
	if (len < 128 && !is_long) {
		put(to, &(uint8_t){ (uint8_t)len }, 1);
	} else {
		const uint8_t l[4] = { (uint8_t)(0x80 | len >> 24),
			(uint8_t)(len >> 16), (uint8_t)(len >> 8),
			(uint8_t)len };

		put(to, l, sizeof(l));
	}
}

static inline void
put_pair(struct bytes *to, struct text name, struct text value, bool is_long)
{
	put_length(to, name.len, is_long);
	put_length(to, value.len, is_long);
	put(to, name.bytes, name.len);
	put(to, value.bytes, value.len);
}

static inline struct text
string(const char *s)
{
	return (struct text){ s, strlen(s) };
}

/* BEGIN, one PARAMS record with this content, the ends. */
static inline void
put_request(struct bytes *to, const struct bytes *params)
{
	to->len = 0;
	put_begin(to, 1, 1, 0, 0);
	if (params->len > 0)
		put_record(to, PARAMS, 1, params->b, params->len, 0);
	put_record(to, PARAMS, 1, NULL, 0, 0);
	put_record(to, STDIN, 1, NULL, 0, 0);
}

/* Scan a copy of exactly that size, so that a sanitizer sees a byte too far. */
static inline enum records_scan
scan(const uint8_t *bytes, size_t len, size_t *left, size_t *used)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct records_scanner scanner = { 0 };
	enum records_scan result;

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, bytes, len);
	*left = len;
	*used = 0;
	result = records_scan(&scanner, copy, left, used);
	free(copy);
	return result;
}

static inline bool
is(const struct bytes *b, enum records_scan expected)
{
	size_t left, used;

	return scan(b->b, b->len, &left, &used) == expected;
}

#endif
