/*
 * Refusals as application/problem+json (RFC 9457) in a CGI response.
 * Whatever the detail holds, the output is well-formed JSON.  The detail is
 * written into the body only, so it cannot forge a header line.  Memory is not
 * allocated: one of the refusals is that there is none.
 */
#include "problem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Every byte of the detail as \u00XX, and the rest of the object. */
#define BODY_MAX (6 * sizeof((struct problem *)0)->detail + 300)

_Static_assert(BODY_MAX + 512 <= PROBLEM_MAX, "room for the header lines");

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

int
problem_set(struct problem *p, int status, const char *detail, ...)
{
	/* One byte more than fits shows whether the cut splits a character.
	   The arguments may point into the old detail: format into a copy. */
	char text[sizeof p->detail + 1];
	size_t len;
	va_list args;

	va_start(args, detail);
	if (vsnprintf(text, sizeof text, detail, args) < 0)
		text[0] = '\0';
	va_end(args);

	len = strlen(text);
	if (len >= sizeof p->detail) {
		len = sizeof p->detail - 1;
		while (len > 0 && is_continuation(text[len]))
			len--;
	}
	p->status = status;
	p->retry_s = 0;
	p->header = NULL;
	p->members[0] = '\0';
	memcpy(p->detail, text, len);
	p->detail[len] = '\0';
	return -1;
}

int
problem_memory(struct problem *p)
{
	problem_set(p, 503, "Out of memory.  Try again later.");
	p->retry_s = 1;
	return -1;
}

const char *
problem_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

/* Write text as the inside of a JSON string; out has room for 6 times its
   length and a NUL. */
static void
json_escape(const char *text, char *out)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20) {
			out += snprintf(out, 7, "\\u%04x", (unsigned)*text);
			continue;
		}
		if (*text == '"' || *text == '\\')
			*out++ = '\\';
		*out++ = *text;
	}
	*out = '\0';
}

size_t
problem_write(const struct problem *p, const char *extra, char *out, size_t cap)
{
	char detail[6 * sizeof p->detail];
	char body[BODY_MAX];
	char retry[40] = "";
	const char *reason = problem_reason(p->status);
	int body_len, len;

	json_escape(p->detail, detail);
	body_len = snprintf(body, sizeof body,
	    "{\"type\":\"about:blank\",\"title\":\"%s\","
	    "\"status\":%d,\"detail\":\"%s\"%s}\n",
	    reason, p->status, detail, p->members);
	if (p->retry_s > 0)
		(void)snprintf(retry, sizeof retry, "Retry-After: %d\r\n",
		    p->retry_s);
	len = snprintf(out, cap,
	    "Status: %d %s\r\n"
	    "Content-Type: application/problem+json\r\n"
	    "Content-Length: %d\r\n"
	    "Cache-Control: no-store\r\n"
	    "%s%s%s%s\r\n%s",
	    p->status, reason, body_len, retry,
	    p->header != NULL ? p->header : "", p->header != NULL ? "\r\n" : "",
	    extra, body);
	return len > 0 && (size_t)len < cap ? (size_t)len : 0;
}
