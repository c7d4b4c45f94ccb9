#ifndef ROWCAST_RECORDS_H
#define ROWCAST_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/text.h"

/*
 * FastCGI records: which bytes are a request, what its body is, and how a
 * response is framed.  Pure.
 *   source   FastCGI 1.0 specification
 */

#define RECORDS_HEADER_BYTES 8
#define RECORDS_CONTENT_MAX 65535 /* bytes of one record */

/* ---- requests ---- */

/* Maximum length of the BEGIN_REQUEST and PARAMS records of a request. */
#define RECORDS_REQUEST_MAX 65536

/* In a buffer of this size, records_scan() returns RECORDS_PARTIAL only while
   there is room for more bytes. */
#define RECORDS_BUFFER_MAX (2 * RECORDS_REQUEST_MAX + 1024)

enum records_scan {
	RECORDS_WHOLE,   /* a request, up to the end of STDIN */
	RECORDS_PARTIAL, /* valid so far; read more bytes */
	RECORDS_BAD,     /* not a request that we serve: close the connection */
	RECORDS_MANAGE,  /* a management record (GET_VALUES ...) comes first */
};

/*
 * How far the bytes of a request have been examined, so that no byte is
 * examined again when more arrive.  All members begin as 0 for each request,
 * and are private to records.c.
 */
struct records_scanner {
	size_t at;     /* the records in front of here are complete */
	size_t params; /* PARAMS begin here; 0: BEGIN_REQUEST is incomplete */
	size_t head;   /* PARAMS end here; 0: they are incomplete */
};

/*
 * Examine the bytes that a connection has received.  Refuses: a version other
 * than 1; a request id of 0, or one that changes; a role other than Responder;
 * record types that do not belong here; records out of order; names and values
 * that do not fill PARAMS exactly or contain NUL; more than
 * RECORDS_REQUEST_MAX bytes.
 *   returns  see enum records_scan.  With RECORDS_WHOLE and RECORDS_MANAGE,
 *            *used is the length of the request or of the management record.
 *            Begin with a new scanner after RECORDS_WHOLE.
 *   voids    STDIN content: it is cut out of the buffer, and *len decreases
 */
enum records_scan records_scan(struct records_scanner *s, uint8_t *bytes,
    size_t *len, size_t *used);

/*
 * The same up to the end of PARAMS, which *used is then.  Pass the bytes that
 * follow to records_take_body().
 */
enum records_scan records_scan_head(struct records_scanner *s,
    const uint8_t *bytes, size_t len, size_t *used);

/* The id of a whole request, and whether the web server keeps the connection
   open for the next one. */
uint16_t records_request_id(const uint8_t *request);
bool records_keeps_connection(const uint8_t *request);

/* Returns whether the first record is an ABORT_REQUEST, by its header. */
bool records_is_abort(const uint8_t *bytes, size_t len);

/* ---- request bodies ---- */

/*
 * The state of reading a request's STDIN records.
 *   id   of the request; all other members are private and begin as 0
 */
struct records_body_reader {
	uint16_t id;
	uint8_t header[RECORDS_HEADER_BYTES];
	size_t header_len;
	size_t content; /* bytes left of this record */
	size_t padding;
	bool is_last; /* the record without content */
};

enum records_body {
	RECORDS_BODY_MORE,    /* all bytes were used; read more */
	RECORDS_BODY_CONTENT, /* *content is part of the body, lent by bytes */
	RECORDS_BODY_END,     /* the body has ended */
	RECORDS_BODY_ABORT,   /* the web server aborts the request */
	RECORDS_BODY_BAD,     /* a record that does not belong here */
};

/*
 * Take records from the front of the bytes that were received.
 *   returns  see enum records_body; *used is the number of bytes taken
 */
enum records_body records_take_body(struct records_body_reader *b,
    const uint8_t *bytes, size_t len, size_t *used, struct text *content);

/* ---- responses ---- */

/* Write the header of a STDOUT record with len bytes of content, no padding. */
void records_put_stdout(uint8_t out[RECORDS_HEADER_BYTES], uint16_t id,
    size_t len);

/* Write the end of STDOUT and END_REQUEST (complete, status 0). */
#define RECORDS_END_BYTES 24
void records_put_end(uint8_t out[RECORDS_END_BYTES], uint16_t id);

/*
 * Write the reply to a management record: GET_VALUES_RESULT (of the values that
 * can be asked for, only FCGI_MPXS_CONNS is known: 0), or UNKNOWN_TYPE.
 *   shape    record[0..used) as records_scan() found it
 *   returns  the length written
 */
#define RECORDS_REPLY_MAX_BYTES 64
size_t records_put_reply(const uint8_t *record, size_t used,
    uint8_t out[RECORDS_REPLY_MAX_BYTES]);

#endif
