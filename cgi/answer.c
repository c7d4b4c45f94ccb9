/*
 * CGI responses of the publisher.
 *
 * answer_receipts() and answer_counts() are called when the events are on disk.
 * A client that does not get the answer can send events with keys again.
 */
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cors.h"

#define HEAD_MAX ((size_t)1024) /* CORS_MAX and our own lines */
#define ID_MAX 21               /* an id and a comma */
#define DETAIL_MAX 250          /* of a detail before counts */

/* Add to a problem what was stored before it. */
static void
add_counts(struct problem *p, const struct answer_counts *counts)
{
	char detail[sizeof(p->detail)];
	size_t n = DETAIL_MAX; /* cut between characters */

	memcpy(detail, p->detail, sizeof(detail));
	while (n > 0 && ((unsigned char)detail[n] & 0xc0) == 0x80)
		n--;
	(void)snprintf(p->detail, sizeof(p->detail),
	    "%.*s  Events stored before it: %" PRIu64 "; after it: none.",
	    (int)n, detail, counts->events);
	(void)snprintf(p->members, sizeof(p->members),
	    ",\"events\":%" PRIu64 ",\"last_id\":%" PRId64, counts->events,
	    counts->last_id);
}

char *
answer_problem(const char *cors, const struct problem *p,
    const struct answer_counts *counts, size_t *len)
{
	char *out = malloc(PROBLEM_MAX + CORS_MAX);
	struct problem counted = *p;

	if (out == NULL)
		return NULL;
	if (counts != NULL)
		add_counts(&counted, counts);
	*len = problem_write(&counted, cors, out, PROBLEM_MAX + CORS_MAX);
	return out;
}

static const char preflight[] =
    "Access-Control-Allow-Methods: POST, PUT\r\n"
    "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
    "Access-Control-Max-Age: 600\r\n";

char *
answer_options(const char *cors, bool is_allowed, size_t *len)
{
	char *out = malloc(HEAD_MAX);

	if (out != NULL)
		*len = (size_t)snprintf(out, HEAD_MAX,
		    "Status: 204 No Content\r\n%s\r\n"
		    "Cache-Control: no-store\r\n%s%s\r\n",
		    ANSWER_ALLOW, cors, is_allowed ? preflight : "");
	return out;
}

static size_t
write_head(char *out, const char *cors, bool is_new, size_t body_len)
{
	return (size_t)snprintf(out, HEAD_MAX,
	    "Status: %s\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n"
	    "%s\r\n",
	    is_new ? "201 Created" : "200 OK", body_len, cors);
}

/* Write the head and move the body, which was written behind the room for the
   longest head, next to it. */
static char *
join(char *out, const char *cors, bool is_new, size_t body_len, size_t *len)
{
	char *body = out + HEAD_MAX;
	size_t head_len = write_head(out, cors, is_new, body_len);

	memmove(out + head_len, body, body_len);
	*len = head_len + body_len;
	return out;
}

char *
answer_receipts(const char *cors, const struct log_receipt *receipts, size_t n,
    bool is_array, size_t *len)
{
	size_t cap = HEAD_MAX + n * ID_MAX + sizeof("{\"ids\":[]}\n");
	char *out = malloc(cap), *end, *body, *to;
	bool is_new = false;

	if (out == NULL)
		return NULL;
	end = out + cap;
	to = body = out + HEAD_MAX;
	to += snprintf(to, (size_t)(end - to), "%s",
	    is_array ? "{\"ids\":[" : "{\"id\":");
	for (size_t i = 0; i < n; i++) {
		to += snprintf(to, (size_t)(end - to), "%s%" PRId64,
		    i > 0 ? "," : "", receipts[i].id);
		is_new = is_new || receipts[i].is_new;
	}
	to += snprintf(to, (size_t)(end - to), "%s", is_array ? "]}\n" : "}\n");
	return join(out, cors, is_new, (size_t)(to - body), len);
}

char *
answer_counts(const char *cors, const struct answer_counts *c, size_t *len)
{
	char *out = malloc(HEAD_MAX + CORS_MAX);
	int n;

	if (out == NULL)
		return NULL;
	n = snprintf(out + HEAD_MAX, CORS_MAX,
	    "{\"events\":%" PRIu64 ",\"new\":%" PRIu64
	    ",\"passed_over\":%" PRIu64 ",\"last_id\":%" PRId64 "%s}\n",
	    c->events, c->new, c->passed_over, c->last_id,
	    c->is_unfinished ? ",\"unfinished\":true" : "");
	return join(out, cors, c->new > 0, (size_t)n, len);
}
