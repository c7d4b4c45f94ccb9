#ifndef ROWCAST_PROBLEM_H
#define ROWCAST_PROBLEM_H

#include <stddef.h>

/*
 * The reason why a request is refused, and the response that says so.  Pure.
 *   status       HTTP status, 400..599
 *   retry_s      Retry-After in seconds, or 0 for none
 *   header       one further header line without CRLF ("Allow: GET"), or NULL;
 *                static storage
 *   members      further members of the JSON object: ,"name":value… or ""
 *   detail       a sentence that tells the client's author what to do; UTF-8,
 *                NUL-terminated
 */
struct problem {
	int status;
	int retry_s;
	const char *header;
	char members[80];
	char detail[400];
};

/*
 * Set status and detail, and clear the other fields.  detail is a printf
 * format; the text is cut to fit, at a character boundary.  Returns -1.
 */
int problem_set(struct problem *p, int status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));

/* Set the problem of an allocation that failed: 503, try again.  Returns -1. */
int problem_memory(struct problem *p);

/* Returns the reason phrase of a status ("Bad Request"), or "Error". */
const char *problem_reason(int status);

/*
 * Write the whole CGI response: Status, Content-Type: application/problem+json,
 * Content-Length, Cache-Control: no-store, Retry-After and header if set,
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
