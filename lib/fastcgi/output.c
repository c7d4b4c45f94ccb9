/*
 * Bytes of a response that the socket has not taken yet.
 */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "records.h"

int
output_keep(struct output *o, const struct iovec *pieces, int n, size_t sent,
    size_t total)
{
	char *p = malloc(total - sent);

	if (p == NULL)
		return -1;
	*o = (struct output){ .bytes = p, .len = total - sent };
	for (int i = 0; i < n; i++) {
		if (sent >= pieces[i].iov_len) {
			sent -= pieces[i].iov_len;
			continue;
		}
		memcpy(p, (const char *)pieces[i].iov_base + sent,
		    pieces[i].iov_len - sent);
		p += pieces[i].iov_len - sent;
		sent = 0;
	}
	return 0;
}

int
output_add_end(struct output *o, uint16_t id)
{
	char *p = realloc(o->bytes, o->len + RECORDS_END_BYTES);

	if (p == NULL)
		return -1;
	records_put_end((uint8_t *)p + o->len, id);
	o->bytes = p;
	o->len += RECORDS_END_BYTES;
	return 0;
}

int
output_set(struct output *o, uint16_t id, const char *bytes, size_t len)
{
	size_t n = len / RECORDS_CONTENT_MAX + 1;
	char *p = malloc(len + n * RECORDS_HEADER_BYTES + RECORDS_END_BYTES);

	if (p == NULL)
		return -1;
	*o = (struct output){ .bytes = p };
	while (len > 0) {
		n = len < RECORDS_CONTENT_MAX ? len : RECORDS_CONTENT_MAX;
		records_put_stdout((uint8_t *)p, id, n);
		memcpy(p + RECORDS_HEADER_BYTES, bytes, n);
		p += RECORDS_HEADER_BYTES + n;
		bytes += n;
		len -= n;
	}
	records_put_end((uint8_t *)p, id);
	o->len = (size_t)(p + RECORDS_END_BYTES - o->bytes);
	return 0;
}

int
output_flush(struct output *o, int fd)
{
	while (o->sent < o->len) {
		ssize_t n = write(fd, o->bytes + o->sent, o->len - o->sent);

		if (n >= 0)
			o->sent += (size_t)n;
		else if (errno != EINTR)
			return -1;
	}
	free(o->bytes);
	*o = (struct output){ 0 };
	return 0;
}
