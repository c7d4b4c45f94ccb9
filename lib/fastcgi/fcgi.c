/*
 * FastCGI framing around libfcgi.
 *
 * libfcgi reads from a descriptor and waits for it, loses what it read beyond
 * a request, takes a request that broke off in PARAMS for a whole one and
 * aborts on some malformed ones.  So connections are read by others, without
 * waiting; fcgi_scan() lets only whole and well-formed requests pass; and
 * libfcgi gets those over a socket pair of its own, in which all it will ask
 * for already lies.  What it does to that descriptor concerns nobody.
 */
#include "fcgi.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <fastcgi.h>

#include "lib/memory.h"

/* What libfcgi 2.4.2 takes for a request: its buffers, 17.8 KB; each variable
   by itself, 32 bytes for 2 at worst; a list of them, doubled when it is full. */
#define LIBFCGI_BYTES 32768
#define LIBFCGI_COPIES 28

struct record {
	uint8_t type;
	uint16_t id;
	size_t content_len;
	size_t total_len;
};

int
fcgi_init(void)
{
	int rc = FCGX_Init();

	if (rc != 0)
		errno = rc > 0 ? rc : EINVAL;
	return rc == 0 ? 0 : -1;
}

bool
fcgi_is_spawned(void)
{
	return FCGX_IsCGI() == 0;
}

/* The header at the front; false if it has not all come yet. */
static bool
read_header(const uint8_t *b, size_t len, struct record *r)
{
	if (len < FCGI_HEADER_LEN)
		return false;
	r->type = b[1];
	r->id = (uint16_t)(b[2] << 8 | b[3]);
	r->content_len = (size_t)(b[4] << 8 | b[5]);
	r->total_len = FCGI_HEADER_LEN + r->content_len + b[6];
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
		(void)read_header(p->at, FCGI_HEADER_LEN, &r); /* is there */
		if (r.content_len == 0)
			return -1;
		p->at += FCGI_HEADER_LEN;
		p->in_record = r.content_len;
		p->padding = r.total_len - FCGI_HEADER_LEN - r.content_len;
	}
	p->in_record--;
	return *p->at++;
}

/* A length of one or four bytes; -1 if PARAMS end in it, -2 if before it. */
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

/* Do names and values fill the PARAMS records that begin here exactly? */
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

static uint16_t
request_id(const uint8_t *begin)
{
	return (uint16_t)(begin[2] << 8 | begin[3]);
}

static bool
is_our_begin(const uint8_t *b, const struct record *r)
{
	return r->type == FCGI_BEGIN_REQUEST && r->id != 0 &&
	    r->content_len == sizeof(FCGI_BeginRequestBody) &&
	    (b[8] << 8 | b[9]) == FCGI_RESPONDER;
}

static enum fcgi_scan
scan_first(const uint8_t *bytes, size_t len, size_t *used)
{
	struct record r;

	if (len > 0 && bytes[0] != FCGI_VERSION_1)
		return FCGI_BAD;
	if (!read_header(bytes, len, &r))
		return FCGI_PARTIAL;
	if (r.id == 0 && r.type != FCGI_BEGIN_REQUEST) {
		*used = r.total_len;
		return len < r.total_len ? FCGI_PARTIAL : FCGI_MANAGE;
	}
	if (r.type != FCGI_BEGIN_REQUEST)
		return FCGI_BAD;
	if (len < r.total_len)
		return FCGI_PARTIAL;
	*used = r.total_len;
	return is_our_begin(bytes, &r) ? FCGI_WHOLE : FCGI_BAD;
}

/*
 * The next record, where one of this type and id belongs.
 *   returns  FCGI_WHOLE if all of it is there; *r is what is known of it
 */
static enum fcgi_scan
scan_record(const uint8_t *bytes, size_t len, uint8_t type, uint16_t id,
    struct record *r)
{
	*r = (struct record){ 0 };
	if (len > 0 && bytes[0] != FCGI_VERSION_1)
		return FCGI_BAD;
	if (!read_header(bytes, len, r))
		return FCGI_PARTIAL;
	if (r->id != id || r->type != type)
		return FCGI_BAD;
	return len < r->total_len ? FCGI_PARTIAL : FCGI_WHOLE;
}

enum fcgi_scan
fcgi_scan_head(const uint8_t *bytes, size_t len, size_t *used)
{
	enum fcgi_scan scan = scan_first(bytes, len, used);
	size_t at, params;
	struct record r;

	if (scan != FCGI_WHOLE)
		return scan;
	at = params = *used;
	do {
		scan = scan_record(bytes + at, len - at, FCGI_PARAMS,
		    request_id(bytes), &r);
		at += r.total_len;
		if (scan == FCGI_BAD || at > FCGI_REQUEST_MAX)
			return FCGI_BAD;
		if (scan == FCGI_PARTIAL)
			return FCGI_PARTIAL;
	} while (r.content_len > 0);
	if (!params_are_whole(bytes + params))
		return FCGI_BAD;
	*used = at;
	return FCGI_WHOLE;
}

enum fcgi_scan
fcgi_scan(uint8_t *bytes, size_t *len, size_t *used)
{
	enum fcgi_scan scan = fcgi_scan_head(bytes, *len, used);
	size_t at;
	struct record r;

	if (scan != FCGI_WHOLE)
		return scan;
	at = *used;
	for (;;) {
		scan = scan_record(bytes + at, *len - at, FCGI_STDIN,
		    request_id(bytes), &r);
		if (scan != FCGI_WHOLE)
			return scan;
		if (r.content_len == 0) {
			*used = at + r.total_len;
			return FCGI_WHOLE;
		}
		*len -= r.total_len;
		memmove(bytes + at, bytes + at + r.total_len, *len - at);
	}
}

enum fcgi_body
fcgi_body_take(struct fcgi_body_reader *b, const uint8_t *bytes, size_t len,
    size_t *used, struct text *content)
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
			return FCGI_BODY_CONTENT;
		}
		if (b->padding > 0) {
			n = len - *used < b->padding ? len - *used : b->padding;
			b->padding -= n;
			*used += n;
			if (b->is_last && b->padding == 0)
				return FCGI_BODY_END;
			continue;
		}
		b->header[b->header_len++] = bytes[(*used)++];
		if (!read_header(b->header, b->header_len, &r))
			continue;
		b->header_len = 0;
		b->content = r.content_len;
		b->padding = r.total_len - FCGI_HEADER_LEN - r.content_len;
		if (b->header[0] != FCGI_VERSION_1 || r.id != b->id)
			return FCGI_BODY_BAD;
		if (r.type == FCGI_ABORT_REQUEST)
			return FCGI_BODY_ABORT;
		if (r.type != FCGI_STDIN)
			return FCGI_BODY_BAD;
		/* its padding would stand before the next request */
		b->is_last = r.content_len == 0;
		if (b->is_last && b->padding == 0)
			return FCGI_BODY_END;
	}
	return FCGI_BODY_MORE;
}

bool
fcgi_is_abort(const uint8_t *bytes, size_t len)
{
	struct record r;

	return read_header(bytes, len, &r) && r.type == FCGI_ABORT_REQUEST;
}

/* Copy an environment into one block of memory. */
static void *
copy_vars(char **envp)
{
	size_t n = 0, bytes = 0;
	char **copy, *at;

	for (char **v = envp; *v != NULL; v++, n++)
		bytes += strlen(*v) + 1;
	copy = malloc((n + 1) * sizeof(*copy) + bytes);
	if (copy == NULL)
		return NULL;
	at = (char *)(copy + n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(envp[i]) + 1;

		copy[i] = memcpy(at, envp[i], len);
		at += len;
	}
	copy[n] = NULL;
	return copy;
}

void
fcgi_pair_close(struct fcgi_pair *pair)
{
	if (pair->is_open) {
		(void)close(pair->fds[0]); /* nothing of ours is in them */
		(void)close(pair->fds[1]);
	}
	pair->is_open = false;
}

static int
open_pair(struct fcgi_pair *pair)
{
	/* what is asked for is there; were it not, this is no wait for ever */
	const struct timeval patience = { .tv_sec = 1 };

	if (pair->is_open)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->fds) != 0)
		return -1;
	pair->is_open = true;
	if (setsockopt(pair->fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience)) == 0)
		return 0;
	fcgi_pair_close(pair);
	return -1;
}

/* Without padding behind BEGIN_REQUEST: libfcgi takes that for records. */
static bool
send_request(int fd, const uint8_t *bytes, size_t used)
{
	uint8_t begin[FCGI_HEADER_LEN + sizeof(FCGI_BeginRequestBody)];
	size_t skip = sizeof(begin) + bytes[6];
	struct iovec pieces[] = { { begin, sizeof(begin) },
		{ (void *)(uintptr_t)(bytes + skip), used - skip } };
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };
	ssize_t n;

	memcpy(begin, bytes, sizeof(begin));
	begin[6] = 0;
	n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n >= 0 && (size_t)n == used - bytes[6];
}

/* Have libfcgi read the request that lies in the pair; the copied variables. */
static void *
read_with_libfcgi(struct fcgi_pair *pair)
{
	FCGX_Request request;
	void *vars = NULL;
	char more;

	if (FCGX_InitRequest(&request, -1, 0) != 0)
		return NULL;
	request.ipcFd = pair->fds[1];
	request.keepConnection = 1;
	if (FCGX_Accept_r(&request) < 0) {
		(void)close(pair->fds[0]); /* libfcgi has closed the other */
		pair->is_open = false;
		return NULL;
	}
	if (FCGX_GetError(request.in) == 0)
		vars = copy_vars(request.envp);
	FCGX_Free(&request, 0);
	/* what it left would stand before the next request */
	if (vars == NULL ||
	    recv(pair->fds[1], &more, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
		fcgi_pair_close(pair);
	return vars;
}

int
fcgi_parse(struct fcgi_pair *pair, const uint8_t *bytes, size_t used,
    struct fcgi_request *r)
{
	size_t head;

	errno = 0;
	/* PARAMS end the part that libfcgi reads by itself; it ends the process
	   where it is refused memory */
	if (fcgi_scan_head(bytes, used, &head) != FCGI_WHOLE ||
	    !memory_is_free(LIBFCGI_BYTES + LIBFCGI_COPIES * head) ||
	    open_pair(pair) != 0)
		return -1;
	if (!send_request(pair->fds[0], bytes, head)) {
		fcgi_pair_close(pair);
		return -1;
	}
	r->backing = read_with_libfcgi(pair);
	if (r->backing == NULL)
		return -1;
	r->vars = r->backing;
	r->id = request_id(bytes);
	r->keep = (bytes[FCGI_HEADER_LEN + 2] & FCGI_KEEP_CONN) != 0;
	return 0;
}

void
fcgi_request_free(struct fcgi_request *r)
{
	free(r->backing);
	r->backing = NULL;
	r->vars = NULL;
}

static void
write_header(uint8_t *out, uint8_t type, uint16_t id, size_t len)
{
	out[0] = FCGI_VERSION_1;
	out[1] = type;
	out[2] = (uint8_t)(id >> 8);
	out[3] = (uint8_t)(id & 0xff);
	out[4] = (uint8_t)(len >> 8 & 0xff);
	out[5] = (uint8_t)(len & 0xff);
	out[6] = 0; /* nginx holds back a padded header record */
	out[7] = 0;
}

void
fcgi_stdout_header(uint8_t out[FCGI_HEADER_LEN_BYTES], uint16_t id, size_t len)
{
	write_header(out, FCGI_STDOUT, id, len);
}

void
fcgi_end(uint8_t out[FCGI_END_LEN_BYTES], uint16_t id)
{
	write_header(out, FCGI_STDOUT, id, 0);
	write_header(out + FCGI_HEADER_LEN, FCGI_END_REQUEST, id, 8);
	/* application status 0, FCGI_REQUEST_COMPLETE (0), reserved */
	memset(out + 2 * (size_t)FCGI_HEADER_LEN, 0, 8);
}

size_t
fcgi_reply(const uint8_t *record, size_t used,
    uint8_t out[FCGI_REPLY_MAX_BYTES])
{
	static const char values[] = "\017\001FCGI_MPXS_CONNS0";
	size_t len = 0;

	memset(out, 0, FCGI_REPLY_MAX_BYTES);
	if (record[1] != FCGI_GET_VALUES) {
		write_header(out, FCGI_UNKNOWN_TYPE, 0, 8);
		out[FCGI_HEADER_LEN] = record[1];
		return FCGI_HEADER_LEN + 8;
	}
	if (memmem(record, used, "FCGI_MPXS_CONNS", 15) != NULL)
		len = sizeof(values) - 1;
	write_header(out, FCGI_GET_VALUES_RESULT, 0, len);
	memcpy(out + FCGI_HEADER_LEN, values, len);
	return FCGI_HEADER_LEN + len;
}

void
fcgi_cgi_request(struct fcgi_request *r)
{
	*r = (struct fcgi_request){ .vars = (const char *const *)environ };
}

ssize_t
fcgi_cgi_read(void *out, size_t cap)
{
	ssize_t n;

	do
		n = read(STDIN_FILENO, out, cap);
	while (n < 0 && errno == EINTR);
	return n;
}
