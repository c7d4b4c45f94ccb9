#ifndef ROWCAST_FCGI_H
#define ROWCAST_FCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/event.h"

/*
 * FastCGI and plain CGI: the only module that knows libfcgi.  It never accepts,
 * never waits on a connection and never writes to one: it says how bytes are
 * framed and turns a whole request into its CGI variables.
 *   source   FastCGI 1.0 specification; RFC 3875
 */

/* Prepare libfcgi.  Before any handler of ours for SIGTERM, SIGUSR1, SIGPIPE:
   libfcgi installs its own.  Returns 0, or -1 with errno. */
int fcgi_init(void);

/* Is descriptor 0 a listening socket, as a web server leaves it? */
bool fcgi_is_spawned(void);

/* ---- requests ---- */

/* Bound of one request's BEGIN_REQUEST and PARAMS records, in bytes. */
#define FCGI_REQUEST_MAX 65536

/* A buffer of this size always has room for what fcgi_scan() wants next. */
#define FCGI_BUFFER_MAX (2 * FCGI_REQUEST_MAX + 1024)

enum fcgi_scan {
	FCGI_WHOLE,   /* the request is there, up to the end of STDIN */
	FCGI_PARTIAL, /* so far so good, more must come */
	FCGI_BAD,     /* not a request that we serve: close the connection */
	FCGI_MANAGE,  /* a management record stands first (GET_VALUES …) */
};

/*
 * Look at the bytes that have come over a connection, before libfcgi does.
 * Refused: version other than 1, a request id of 0 or one that changes, a role
 * other than Responder, record types that do not belong here, records out of
 * order, names and values that do not fill PARAMS exactly or hold NUL, more
 * than FCGI_REQUEST_MAX bytes.
 *   voids    STDIN content is cut out of the buffer, *len gets smaller: who
 *            asks for a stream has nothing to send
 *   returns  see enum fcgi_scan; for FCGI_WHOLE and FCGI_MANAGE *used is the
 *            length of the request, or of the management record
 */
enum fcgi_scan fcgi_scan(uint8_t *bytes, size_t *len, size_t *used);

/*
 * The same for who takes the body as it comes: the request is whole at the end
 * of PARAMS, which *used is then.  What stands behind is for fcgi_body_take().
 */
enum fcgi_scan fcgi_scan_head(const uint8_t *bytes, size_t len, size_t *used);

/*
 * A request's STDIN records, as they come.
 *   id   of the request; all else is private and begins as 0
 */
struct fcgi_body_reader {
	uint16_t id;
	uint8_t header[8];
	size_t header_len;
	size_t content; /* left of this record */
	size_t padding;
	bool is_last; /* it is the record without content */
};

enum fcgi_body {
	FCGI_BODY_MORE,    /* all was used, more must come */
	FCGI_BODY_CONTENT, /* *content is some of the body, lent by bytes */
	FCGI_BODY_END,     /* the body is over */
	FCGI_BODY_ABORT,   /* the web server gives the request up */
	FCGI_BODY_BAD,     /* not a record that belongs here */
};

/*
 * Take from the front of what came.
 *   returns  see enum fcgi_body, with *used set to how many bytes were taken
 */
enum fcgi_body fcgi_body_take(struct fcgi_body_reader *b, const uint8_t *bytes,
    size_t len, size_t *used, struct text *content);

/* Is the first record whole and an ABORT_REQUEST? */
bool fcgi_is_abort(const uint8_t *bytes, size_t len);

/*
 * One request's variables.
 *   id         request id, to be echoed in every record
 *   keep       the web server wants the connection kept after the request
 *   vars       environment: "NAME=value", NULL at the end
 */
struct fcgi_request {
	uint16_t id;
	bool keep;
	const char *const *vars;
	void *backing; /* private */
};

/*
 * What requests are handed to libfcgi over: it reads descriptors only.  Made
 * when it is needed, begins as 0; end with fcgi_pair_close().
 */
struct fcgi_pair {
	int fds[2];
	bool is_open;
};
void fcgi_pair_close(struct fcgi_pair *pair);

/*
 * Have libfcgi parse a request that fcgi_scan() or fcgi_scan_head() called
 * whole.
 *   returns  0; -1 if libfcgi refuses it or memory is short, which errno says
 *            (ENOMEM); then there is nothing to free
 *   owns     end with fcgi_request_free()
 */
int fcgi_parse(struct fcgi_pair *pair, const uint8_t *bytes, size_t used,
    struct fcgi_request *r);
void fcgi_request_free(struct fcgi_request *r);

/* ---- records ---- */

#define FCGI_HEADER_LEN_BYTES 8
#define FCGI_CONTENT_MAX 65535

/* The header of an STDOUT record with len bytes of content, no padding. */
void fcgi_stdout_header(uint8_t out[FCGI_HEADER_LEN_BYTES], uint16_t id,
    size_t len);

/* End of STDOUT and END_REQUEST (complete, status 0). */
#define FCGI_END_LEN_BYTES 24
void fcgi_end(uint8_t out[FCGI_END_LEN_BYTES], uint16_t id);

/*
 * The answer to a management record: GET_VALUES_RESULT (of all that can be
 * asked we know FCGI_MPXS_CONNS, which is 0), or UNKNOWN_TYPE.
 *   shape    record[0..used) as fcgi_scan() found it
 *   returns  length written
 */
#define FCGI_REPLY_MAX_BYTES 64
size_t fcgi_reply(const uint8_t *record, size_t used,
    uint8_t out[FCGI_REPLY_MAX_BYTES]);

/* ---- plain CGI ---- */

/*
 * The one request of a process that a web server started as a CGI program: its
 * variables are the environment, its body comes from fcgi_cgi_read(), the
 * response is written to descriptor 1.
 *   owns     nothing; fcgi_request_free() is allowed and does nothing
 */
void fcgi_cgi_request(struct fcgi_request *r);

/* Read up to cap bytes of the CGI request's body, waiting for them; returns
   the length, 0 at the end, -1 with errno. */
ssize_t fcgi_cgi_read(void *out, size_t cap);

#endif
