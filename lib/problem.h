#ifndef ROWCAST_PROBLEM_H
#define ROWCAST_PROBLEM_H

#include <stddef.h>

/*
 * A request that is refused, and why: what both programs answer with instead
 * of a stream or a receipt.  Pure.
 *   status       HTTP status, 400..599
 *   retry_s      Retry-After in seconds, or 0 for none
 *   header       one further header line without CRLF ("Allow: GET"), or NULL;
 *                static storage
 *   members      further members of the answer: ,"name":value… or ""
 *   detail       a sentence for people that says what to do, UTF-8, NUL-ended
 */
struct problem {
	int status;
	int retry_s;
	const char *header;
	char members[80];
	char detail[400];
};

/*
 * Fill in a problem, without retry_s and header.  detail is formatted like
 * printf and cut to fit at a character boundary.
 */
void problem_set(struct problem *p, int status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));

/* The problem of memory that is short: 503, to be tried again.  Returns -1. */
int problem_memory(struct problem *p);

/* The reason phrase of a status we use ("Bad Request"); "Error" if unknown. */
const char *problem_reason(int status);

/*
 * Write the CGI response: Status, Content-Type: application/problem+json,
 * Content-Length, Cache-Control: no-store, Retry-After and header where set,
 * the extra header lines, a blank line, and {"type":"about:blank","title":…,
 * "status":…,"detail":…}.
 *   shape    extra is whole header lines, each ended with CRLF, or ""
 *   returns  the length written, < cap; 0 if cap was too small
 *   units    PROBLEM_MAX bytes plus strlen(extra) are always enough
 *   source   RFC 9457; RFC 3875, 6.3
 */
#define PROBLEM_MAX 4096
size_t problem_write(const struct problem *p, const char *extra, char *out,
    size_t cap);

#endif
