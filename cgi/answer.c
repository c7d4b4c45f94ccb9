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

#define ID_MAX 21      /* an id and a comma */
#define COUNTS_MAX 200 /* four numbers and their names */
#define DETAIL_MAX 250 /* of a detail before counts */

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
	char *out;
	int n = asprintf(&out,
	    "Status: 204 No Content\r\n%s\r\n"
	    "Cache-Control: no-store\r\n%s%s\r\n",
	    ANSWER_ALLOW, cors, is_allowed ? preflight : "");

	*len = (size_t)n;
	return n >= 0 ? out : NULL;
}

static char *
answer_body(const char *cors, bool is_new, const char *body, size_t *len)
{
	char *out;
	int n = asprintf(&out,
	    "Status: %s\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n"
	    "%s\r\n%s",
	    is_new ? "201 Created" : "200 OK", strlen(body), cors, body);

	*len = (size_t)n;
	return n >= 0 ? out : NULL;
}

char *
answer_receipts(const char *cors, const struct log_receipt *receipts, size_t n,
    bool is_array, size_t *len)
{
	size_t cap = n * ID_MAX + sizeof("{\"ids\":[]}\n"), at;
	char *body = malloc(cap), *out;
	bool is_new = false;

	if (body == NULL)
		return NULL;
	at = (size_t)snprintf(body, cap, "%s",
	    is_array ? "{\"ids\":[" : "{\"id\":");
	for (size_t i = 0; i < n; i++) {
		at += (size_t)snprintf(body + at, cap - at, "%s%" PRId64,
		    i > 0 ? "," : "", receipts[i].id);
		is_new = is_new || receipts[i].is_new;
	}
	(void)snprintf(body + at, cap - at, "%s", is_array ? "]}\n" : "}\n");
	out = answer_body(cors, is_new, body, len);
	free(body);
	return out;
}

char *
answer_counts(const char *cors, const struct answer_counts *c, size_t *len)
{
	char body[COUNTS_MAX];

	(void)snprintf(body, sizeof(body),
	    "{\"events\":%" PRIu64 ",\"new\":%" PRIu64
	    ",\"passed_over\":%" PRIu64 ",\"last_id\":%" PRId64 "%s}\n",
	    c->events, c->new, c->passed_over, c->last_id,
	    c->is_unfinished ? ",\"unfinished\":true" : "");
	return answer_body(cors, c->new > 0, body, len);
}
