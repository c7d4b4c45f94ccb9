/*
 * An HTTP/1.1 response: lines are read byte by byte, the body run by run.
 */
#include "response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	STATUS,    /* the first line */
	FIELDS,    /* of the head */
	BODY,      /* up to the end of the connection */
	COUNTED,   /* a body whose length was said */
	SIZE,      /* the line before a chunk */
	CHUNK,     /* in it */
	CHUNK_END, /* the line break behind it */
	TRAILER,   /* behind the last one */
};

void
response_init(struct response *r)
{
	memset(r, 0, sizeof(*r));
	r->state = STATUS;
}

static int
take_status(struct response *r)
{
	if (strncmp(r->line, "HTTP/1.", 7) != 0 || r->line_len < 12)
		return -1;
	r->status = (int)strtol(r->line + 9, NULL, 10);
	r->state = FIELDS;
	return r->status >= 100 && r->status <= 599 ? 0 : -1;
}

static void
end_head(struct response *r)
{
	if (r->is_chunked) {
		r->state = SIZE;
	} else if (r->has_length) {
		r->state = COUNTED;
		r->is_over = r->left == 0;
	} else {
		r->state = BODY;
	}
}

static void
take_field(struct response *r)
{
	if (r->line_len == 0) {
		end_head(r);
	} else if (strcasecmp(r->line, "Transfer-Encoding: chunked") == 0) {
		r->is_chunked = true;
	} else if (strcasecmp(r->line, "Content-Type: text/event-stream") ==
	    0) {
		r->is_event_stream = true;
	} else if (strncasecmp(r->line, "Content-Length: ", 16) == 0) {
		r->has_length = true;
		r->left = strtoul(r->line + 16, NULL, 10);
	}
}

static int
take_size(struct response *r)
{
	char *end;

	r->left = strtoul(r->line, &end, 16);
	if (end == r->line || (*end != '\0' && *end != ';' && *end != ' '))
		return -1;
	r->state = r->left > 0 ? CHUNK : TRAILER;
	return 0;
}

static int
take_line(struct response *r)
{
	switch (r->state) {
	case STATUS:
		return take_status(r);
	case FIELDS:
		take_field(r);
		return 0;
	case SIZE:
		return take_size(r);
	case CHUNK_END:
		r->state = SIZE;
		return r->line_len == 0 ? 0 : -1;
	default: /* TRAILER */
		if (r->line_len == 0)
			r->is_over = true;
		return 0;
	}
}

/* Takes one byte of a line; fails if the line is too long. */
static int
take_byte(struct response *r, char byte)
{
	int rc;

	if (byte != '\n') {
		if (r->line_len == sizeof(r->line) - 1)
			return -1;
		r->line[r->line_len++] = byte;
		return 0;
	}
	if (r->line_len > 0 && r->line[r->line_len - 1] == '\r')
		r->line_len--;
	r->line[r->line_len] = '\0';
	rc = take_line(r);
	r->line_len = 0;
	return rc;
}

/* Takes a run of the body; returns its length. */
static size_t
body_len(const struct response *r, size_t len)
{
	return r->state != BODY && r->left < len ? r->left : len;
}

static void
pass(struct response *r, size_t n)
{
	if (r->state == BODY)
		return;
	r->left -= n;
	if (r->left > 0)
		return;
	r->is_over = r->state == COUNTED;
	r->state = CHUNK_END;
}

int
response_take(struct response *r, const char *bytes, size_t len,
    void (*body)(void *cookie, const char *bytes, size_t len), void *cookie)
{
	while (len > 0 && !r->is_over) {
		size_t n = 1;

		if (r->state == BODY || r->state == COUNTED ||
		    r->state == CHUNK) {
			n = body_len(r, len);
			body(cookie, bytes, n);
			pass(r, n);
		} else if (take_byte(r, *bytes) != 0) {
			return -1;
		}
		bytes += n;
		len -= n;
	}
	return 0;
}
