/*
 * What arrives over a connection: requests and their bodies.
 */
#include "input.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES 4096

/* ---- requests ---- */

/* Make room for more bytes; -1 if there are too many already, or if out of
   memory. */
static int
make_room(struct input *in)
{
	size_t capacity = in->capacity > 0 ? in->capacity * 2 : READ_BYTES;
	char *p;

	if (in->len < in->capacity)
		return 0;
	if (capacity > RECORDS_BUFFER_MAX)
		capacity = RECORDS_BUFFER_MAX;
	if (in->len >= capacity || (p = realloc(in->bytes, capacity)) == NULL)
		return -1;
	in->bytes = p;
	in->capacity = capacity;
	return 0;
}

/* Answer the management record at the front, and remove it. */
static int
manage(struct input *in, int fd, size_t used)
{
	uint8_t reply[RECORDS_REPLY_MAX_BYTES];
	size_t len = records_put_reply((uint8_t *)in->bytes, used, reply);

	if (send(fd, reply, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
		return -1;
	in->len -= used;
	memmove(in->bytes, in->bytes + used, in->len);
	return 0;
}

static enum input_result
scan(struct input *in, int fd, bool head_only, size_t *used)
{
	uint8_t *bytes = (uint8_t *)in->bytes;

	for (;;) {
		switch (head_only ? records_scan_head(bytes, in->len, used) :
				    records_scan(bytes, &in->len, used)) {
		case RECORDS_WHOLE:
			return INPUT_WHOLE;
		case RECORDS_PARTIAL:
			return INPUT_MORE;
		case RECORDS_MANAGE:
			if (manage(in, fd, *used) != 0)
				return INPUT_LOST;
			break;
		case RECORDS_BAD:
			return INPUT_LOST;
		}
	}
}

enum input_result
input_read(struct input *in, int fd, bool head_only, size_t *used)
{
	ssize_t n;

	if (make_room(in) != 0)
		return INPUT_LOST;
	n = recv(fd, in->bytes + in->len, in->capacity - in->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return INPUT_NOTHING;
	if (n <= 0)
		return INPUT_LOST;
	in->len += (size_t)n;
	return scan(in, fd, head_only, used);
}

/* ---- bodies ---- */

struct input_body *
input_body_new(uint16_t id)
{
	struct input_body *b = calloc(1, sizeof(*b));

	if (b != NULL)
		b->reader.id = id;
	return b;
}

void
input_body_free(struct input_body *b)
{
	if (b != NULL)
		free(b->rest);
	free(b);
}

enum records_body
input_body_take(struct input_body *b, const char **bytes, size_t *len,
    struct text *content)
{
	enum records_body result;
	size_t used;

	*content = (struct text){ NULL, 0 };
	result = records_take_body(&b->reader, (const uint8_t *)*bytes, *len,
	    &used, content);
	if (result == RECORDS_BODY_END)
		b->is_over = true;
	*bytes += used;
	*len -= used;
	return result;
}

int
input_body_keep(struct input_body *b, const char *bytes, size_t len)
{
	b->rest = malloc(len);
	if (b->rest == NULL)
		return -1;
	memcpy(b->rest, bytes, len);
	b->rest_len = len;
	return 0;
}
