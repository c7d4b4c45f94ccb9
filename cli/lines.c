/*
 * The lines of a descriptor.  One buffer has room for the longest line that is
 * allowed; what is left in it moves to the front when it is full.
 */
#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES 65536

struct lines {
	int fd;
	size_t max;
	char *bytes;
	size_t cap;
	size_t from;    /* what is not given yet begins here */
	size_t len;     /* and ends here */
	size_t scanned; /* up to here there is no line feed in it */
	int64_t number;
	int64_t taken;
	bool is_ended;
};

struct lines *
lines_new(int fd, size_t max_bytes)
{
	struct lines *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->fd = fd;
	l->max = max_bytes;
	l->cap = max_bytes + READ_BYTES;
	l->bytes = malloc(l->cap);
	if (l->bytes == NULL) {
		free(l);
		return NULL;
	}
	return l;
}

void
lines_free(struct lines *l)
{
	if (l == NULL)
		return;
	free(l->bytes);
	free(l);
}

int64_t
lines_number(const struct lines *l)
{
	return l->number;
}

int64_t
lines_bytes(const struct lines *l)
{
	return l->taken;
}

/* Read on; false with errno if that does not work. */
static bool
fill(struct lines *l)
{
	ssize_t got;

	if (l->cap - l->len < READ_BYTES) {
		memmove(l->bytes, l->bytes + l->from, l->len - l->from);
		l->len -= l->from;
		l->scanned -= l->from;
		l->from = 0;
	}
	do {
		got = read(l->fd, l->bytes + l->len, l->cap - l->len);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	l->is_ended = got == 0;
	l->len += (size_t)got;
	return true;
}

static enum lines_result
give(struct lines *l, size_t len, size_t line_feed, struct text *line)
{
	l->number++;
	if (len > l->max)
		return LINES_LONG;
	*line = (struct text){ l->bytes + l->from, len };
	l->from += len + line_feed;
	l->taken += (int64_t)(len + line_feed);
	l->scanned = l->from;
	return LINES_LINE;
}

/* The line feed that ends the next line; NULL if it has not been read yet. */
static const char *
find_end(struct lines *l)
{
	const char *end = NULL;

	if (l->scanned < l->len)
		end = memchr(l->bytes + l->scanned, '\n', l->len - l->scanned);
	l->scanned = end != NULL ? (size_t)(end - l->bytes) : l->len;
	return end;
}

/* Half a line may lie in a pipe for long: what there is is read, no more. */
bool
lines_is_ready(struct lines *l)
{
	struct pollfd in = { .fd = l->fd, .events = POLLIN };

	while (find_end(l) == NULL) {
		if (l->is_ended || l->len - l->from > l->max)
			return true;
		if (poll(&in, 1, 0) != 1)
			return false;
		if (!fill(l))
			return true; /* lines_next() will tell */
	}
	return true;
}

enum lines_result
lines_next(struct lines *l, struct text *line)
{
	for (;;) {
		const char *end = find_end(l);

		if (end != NULL)
			return give(l, (size_t)(end - l->bytes) - l->from, 1,
			    line);
		if (l->is_ended && l->from == l->len)
			return LINES_END;
		if (l->is_ended || l->len - l->from > l->max)
			return give(l, l->len - l->from, 0, line);
		if (!fill(l))
			return LINES_TROUBLE;
	}
}
