/*
 * sse_encode() over any name and data: exactly the promised bytes; one block,
 * ended by the only blank line; fields of ours in their order and no others;
 * the data lines joined again are the data.
 * Input: 8 bytes id, 8 bytes retry, 1 byte length of the name, name, data.
 *
 * Covers: lib/sse.c
 */
#include "fuzz.h"

#include "lib/sse.h"

struct reader {
	const char *p, *end;
};

/* Take the next line if it begins with this field; its value, or NULL. */
static const char *
take(struct reader *r, const char *field, size_t *len)
{
	size_t field_len = strlen(field);
	const char *value = r->p + field_len, *lf;

	if ((size_t)(r->end - r->p) < field_len ||
	    memcmp(r->p, field, field_len) != 0)
		return NULL;
	lf = memchr(value, '\n', (size_t)(r->end - value));
	require(lf != NULL);
	*len = (size_t)(lf - value);
	r->p = lf + 1;
	return value;
}

/* Is this number, as text, that one? */
static bool
is_number(const char *digits, size_t len, int64_t n)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%lld", (long long)n);
	return len == strlen(text) && memcmp(digits, text, len) == 0;
}

static void
read_fields(struct reader *r, const struct event *e)
{
	const char *value;
	size_t len;

	value = take(r, "id: ", &len);
	require(value != NULL && is_number(value, len, e->id));
	value = take(r, "event: ", &len);
	if (value != NULL) {
		require(len != 7 || memcmp(value, "message", 7) != 0);
		require(len <= e->name.len &&
		    memcmp(value, e->name.bytes, len) == 0);
		require(len == e->name.len || e->name.bytes[len] == '\r' ||
		    e->name.bytes[len] == '\n');
	} else {
		require(e->name.len >= 7 &&
		    memcmp(e->name.bytes, "message", 7) == 0);
	}
	value = take(r, "retry: ", &len);
	require((value == NULL) == (e->retry_ms == EVENT_NO_RETRY));
	require(value == NULL || is_number(value, len, e->retry_ms));
}

static void
read_data(struct reader *r, struct text data)
{
	const char *value;
	size_t len, at = 0;
	bool is_first = true;

	while ((value = take(r, "data: ", &len)) != NULL) {
		if (!is_first) {
			require(at < data.len);
			if (data.bytes[at] == '\r' && at + 1 < data.len &&
			    data.bytes[at + 1] == '\n')
				at++;
			else
				require(data.bytes[at] == '\r' ||
				    data.bytes[at] == '\n');
			at++;
		}
		is_first = false;
		require(len <= data.len - at);
		require(len == 0 || memcmp(value, data.bytes + at, len) == 0);
		at += len;
	}
	require(!is_first && at == data.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event e = { .id = 1, .retry_ms = EVENT_NO_RETRY };
	struct reader r;
	size_t len, name_len;
	char *copy, *out;

	if (size < 17)
		return 0;
	memcpy(&e.id, data, 8);
	memcpy(&e.retry_ms, data + 8, 8);
	name_len = data[16];
	data += 17;
	size -= 17;
	if (name_len > size)
		name_len = size;
	copy = fuzz_copy(data, size);
	e.name = (struct text){ copy, name_len };
	e.data = (struct text){ copy + name_len, size - name_len };

	len = sse_len(&e);
	out = malloc(len);
	require(out != NULL && sse_encode(&e, out) == len);
	require(memchr(out, '\r', len) == NULL);
	r = (struct reader){ out, out + len };
	read_fields(&r, &e);
	read_data(&r, e.data);
	require(r.end - r.p == 1 && *r.p == '\n');
	free(out);
	free(copy);
	return 0;
}
