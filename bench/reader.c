/*
 * The parser of a stream.
 */
#include "reader.h"

#include <string.h>
#include <strings.h>

enum {
	HEAD,       /* lines of the HTTP or CGI head */
	CHUNK_SIZE, /* the line before a chunk, or the end of one */
	BODY,
	RECORD, /* a FastCGI header */
};

void
reader_init(struct reader *r, enum reader_framing framing)
{
	*r = (struct reader){
		.framing = framing,
		.state = framing == READER_FCGI ? RECORD : HEAD,
		.next = -1,
		.only_every = 1,
	};
}

/* Digits up to a space; -1 if there are none.  Millions of these a second. */
static int64_t
take_number(const char **at)
{
	const char *p = *at;
	int64_t n = 0;

	while (*p >= '0' && *p <= '9')
		n = n * 10 + (*p++ - '0');
	if (p == *at || *p != ' ')
		return -1;
	*at = p + 1;
	return n;
}

static void
take_data(struct reader *r, const char *line, int64_t now,
    struct reader_totals *totals)
{
	int64_t seq = take_number(&line), published;

	if (seq < 0)
		return;
	published = take_number(&line);
	totals->events++;
	r->events++;
	if (r->next >= 0 && seq != r->next) {
		if (seq > r->next)
			totals->lost +=
			    (uint64_t)((seq - r->next) / r->only_every);
		else
			totals->repeated++;
	}
	if (r->next < 0 || seq >= r->next)
		r->next = seq + r->only_every;
	if (seq < totals->n_arrivals)
		totals->arrivals[seq] = now;
	if (published > 0)
		histogram_add(&totals->latency, now - published);
}

/* A line of the head or of the stream, without its end. */
static void
take_line(struct reader *r, const char *line, size_t len, int64_t now,
    struct reader_totals *totals)
{
	if (r->is_open) {
		if (len > 6 && memcmp(line, "data: ", 6) == 0)
			take_data(r, line + 6, now, totals);
		else if (len > 5 && memcmp(line, "data:", 5) == 0)
			take_data(r, line + 5, now, totals);
		return;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	/* anything but 200 is a refusal */
	if (len > 12 &&
	    ((memcmp(line, "HTTP/1.", 7) == 0 &&
		 memcmp(line + 8, " 200", 4) != 0) ||
		(strncasecmp(line, "status: ", 8) == 0 &&
		    memcmp(line + 8, "200", 3) != 0)))
		r->is_broken = true;
	if (len == 26 &&
	    strncasecmp(line, "transfer-encoding: chunked", 26) == 0)
		r->is_chunked = true;
	if (len == 0) {
		r->is_open = true;
		if (r->framing == READER_HTTP)
			r->state = r->is_chunked ? CHUNK_SIZE : BODY;
	}
}

/*
 * Lines of payload; what has no end yet is kept.  Returns how much was read:
 * the head ends in the middle of what came.
 */
static size_t
take_lines(struct reader *r, const char *bytes, size_t len, int64_t now,
    struct reader_totals *totals)
{
	const char *at = bytes, *end = bytes + len, *newline;
	bool was_open = r->is_open;

	while (at < end && r->is_open == was_open) {
		size_t n;

		newline = memchr(at, '\n', (size_t)(end - at));
		n = (size_t)((newline != NULL ? newline : end) - at);
		if (newline != NULL && r->line_len == 0) {
			take_line(r, at, n, now, totals);
		} else {
			size_t room = READER_LINE_MAX - 1 - r->line_len;

			if (n < room)
				room = n;
			memcpy(r->line + r->line_len, at, room);
			r->line_len += room;
			r->line[r->line_len] = '\0';
			if (newline != NULL) {
				take_line(r, r->line, r->line_len, now, totals);
				r->line_len = 0;
			}
		}
		at += n + (newline != NULL ? 1 : 0);
	}
	return (size_t)(at - bytes);
}

/* The line before a chunk; the empty line behind the last one is skipped. */
static size_t
take_chunk_size(struct reader *r, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		char c = bytes[i];

		if (c == '\n' && r->skip > 0) {
			r->skip = 0;
			r->state = BODY;
			return i + 1;
		}
		if (c == '\n' || c == '\r')
			continue;
		r->skip = 1; /* a digit was seen */
		r->left = r->left * 16 +
		    (size_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return i;
}

/* A FastCGI header; skip counts what has come of it. */
static size_t
take_record(struct reader *r, const char *bytes, size_t len)
{
	const uint8_t *h = r->header;
	size_t n = 8 - r->skip;

	if (n > len)
		n = len;
	memcpy(r->header + r->skip, bytes, n);
	r->skip += n;
	if (r->skip < 8)
		return n;
	r->left = (size_t)(h[4] << 8 | h[5]);
	r->skip = 0;
	if (h[0] != 1 || (h[1] != 6 && h[1] != 3))
		r->is_broken = true;
	if (r->left > 0 && h[1] == 6)
		r->state = BODY;
	return n;
}

void
reader_take(struct reader *r, const char *bytes, size_t len, int64_t now,
    struct reader_totals *totals)
{
	totals->bytes += len;
	while (len > 0 && !r->is_broken) {
		size_t n, limit = len;

		switch (r->state) {
		case HEAD:
			n = take_lines(r, bytes, len, now, totals);
			break;
		case CHUNK_SIZE:
			n = take_chunk_size(r, bytes, len);
			break;
		case RECORD:
			n = take_record(r, bytes, len);
			break;
		default:
			if ((r->framing == READER_FCGI || r->is_chunked) &&
			    r->left < limit)
				limit = r->left;
			n = take_lines(r, bytes, limit, now, totals);
			if (r->framing == READER_FCGI || r->is_chunked)
				r->left -= n;
			if (r->left == 0 && r->framing == READER_FCGI)
				r->state = RECORD;
			else if (r->left == 0 && r->is_chunked)
				r->state = CHUNK_SIZE;
			break;
		}
		bytes += n;
		len -= n;
	}
	if (r->is_broken)
		totals->broken++;
}
