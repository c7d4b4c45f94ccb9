/*
 * One publishing request: method, access, body, append, answer.
 *
 * Each step either goes on or fills in the problem that will be answered once
 * the body is over.  What a client is told names no path; the operator's line
 * on standard error does.
 */
#include "publish.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/body/body.h"
#include "lib/body/streamed.h"
#include "lib/form.h"
#include "lib/warn.h"
#include "answer.h"
#include "cors.h"
#include "gate.h"

#define DISCARD_MAX ((size_t)16 * 1024 * 1024) /* of a refused body */

struct publish {
	const struct publisher_config *config;
	struct log_json *json;
	enum publish_want want;
	char cors[CORS_MAX]; /* header lines that go with any answer */
	bool is_preflight;
	bool is_allowed; /* the origin of an OPTIONS request */
	bool is_refused; /* the answer will be the problem */
	bool is_over;    /* the body is */
	struct problem problem;
	size_t discarded;
	int64_t length; /* of the body; -1: not known */
	char *type;
	char *query;
	/* a body that counts as a whole */
	char *bytes;
	size_t len;
	size_t cap;
	struct body body;
	/* one that is published as it comes */
	struct streamed *streamed;
	struct answer_counts counts;
	/* to be appended */
	const struct event *events;
	size_t n;
	char *answer;
	size_t answer_len;
};

static void
refuse(struct publish *p)
{
	p->is_refused = true;
	free(p->bytes);
	p->bytes = NULL;
	if (p->is_over)
		p->want = PUBLISH_ANSWER;
	else
		p->want = PUBLISH_INPUT;
}

/* ---- the body ---- */

static int
read_length(struct publish *p, const char *text, bool is_framed)
{
	int64_t n = 0;

	/* lighttpd says -1 of a body of unknown length */
	if (is_framed &&
	    (text == NULL || text[0] == '\0' || strcmp(text, "-1") == 0))
		return 0;
	if (text == NULL || text[0] == '\0') {
		problem_set(&p->problem, 411,
		    "Send a Content-Length: a body of unknown "
		    "length (Transfer-Encoding: chunked) is not taken.");
		return -1;
	}
	if (text[strspn(text, "0123456789")] != '\0') {
		problem_set(&p->problem, 400,
		    "Content-Length is not a number.");
		return -1;
	}
	for (; *text != '\0' && n < INT64_MAX / 100; text++)
		n = n * 10 + (*text - '0');
	p->length = n;
	return 0;
}

static int
refuse_size(struct publish *p)
{
	problem_set(&p->problem, 413, "The body is larger than %zu bytes.",
	    p->config->max_body_bytes);
	return -1;
}

/* How the body is to be read. */
static int
open_body(struct publish *p)
{
	size_t max = p->config->max_body_bytes;
	enum media media = media_find(p->type);

	if (media == MEDIA_NDJSON || media == MEDIA_EVENT_STREAM) {
		const struct streamed_options options = {
			.media = media,
			.query = p->query,
			.max_bytes = max,
		};

		p->streamed = streamed_new(&options, p->json, &p->problem);
		return p->streamed != NULL ? 0 : -1;
	}
	if (p->length > (int64_t)max)
		return refuse_size(p);
	return 0;
}

static void
take_whole(struct publish *p, const char *bytes, size_t len)
{
	size_t max = p->config->max_body_bytes, cap;
	char *grown;

	if (len > max - p->len) {
		(void)refuse_size(p);
		refuse(p);
		return;
	}
	if (p->len + len >= p->cap) {
		cap = p->len + len + 1; /* never 0, which may give NULL */
		if (p->length >= (int64_t)cap)
			cap = (size_t)p->length + 1;
		else
			cap += cap / 2;
		grown = realloc(p->bytes, cap);
		if (grown == NULL) {
			(void)problem_memory(&p->problem);
			refuse(p);
			return;
		}
		p->bytes = grown;
		p->cap = cap;
	}
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

/* What came of a streamed body is to be stored, also before a problem. */
static void
use_streamed(struct publish *p, int result)
{
	p->is_refused = result != 0;
	p->events = streamed_events(p->streamed, &p->n);
	if (p->n > 0)
		p->want = PUBLISH_APPEND;
	else if (p->is_over)
		p->want = PUBLISH_ANSWER;
}

void
publish_take(struct publish *p, const char *bytes, size_t len)
{
	assert(p->want == PUBLISH_INPUT && !p->is_over);
	if (p->is_refused || p->is_preflight) {
		p->discarded += len;
		if (p->discarded > DISCARD_MAX)
			p->want = PUBLISH_ANSWER;
	} else if (p->streamed != NULL) {
		p->len += len;
		use_streamed(p,
		    streamed_take(p->streamed, bytes, len, &p->problem));
	} else {
		take_whole(p, bytes, len);
	}
}

static void
use_whole(struct publish *p)
{
	if (body_parse(p->json, p->type, p->query, p->bytes, p->len, &p->body,
		&p->problem) != 0) {
		refuse(p);
		return;
	}
	p->events = p->body.events;
	p->n = p->body.n_events;
	p->want = PUBLISH_APPEND;
}

static void
refuse_cut(struct publish *p)
{
	problem_set(&p->problem, 400,
	    "The body ended after %zu of %" PRId64 " bytes.%s", p->len,
	    p->length, p->streamed != NULL ? "" : "  Nothing was stored.");
	refuse(p);
}

void
publish_over(struct publish *p)
{
	assert(p->want == PUBLISH_INPUT && !p->is_over);
	p->is_over = true;
	if (p->is_refused || p->is_preflight)
		p->want = PUBLISH_ANSWER;
	else if (p->length >= 0 && (int64_t)p->len < p->length)
		refuse_cut(p);
	else if (p->streamed != NULL)
		use_streamed(p, streamed_end(p->streamed, &p->problem));
	else
		use_whole(p);
}

void
publish_stop(struct publish *p, int status, const char *detail)
{
	if (!p->is_refused && !p->is_preflight)
		problem_set(&p->problem, status, "%s", detail);
	p->is_refused = true;
	p->want = PUBLISH_ANSWER;
}

/* ---- the log ---- */

const struct event *
publish_events(const struct publish *p, size_t *n)
{
	assert(p->want == PUBLISH_APPEND);
	*n = p->n;
	return p->events;
}

/* The reason without SQLite's preamble: our constraints are named in words. */
static const char *
refusal(const char *why)
{
	static const char preamble[] = "CHECK constraint failed: ";
	size_t len = sizeof(preamble) - 1;

	return strncmp(why, preamble, len) == 0 ? why + len : why;
}

static void
refuse_event(struct publish *p, int status, size_t culprit, const char *why)
{
	if (p->streamed != NULL)
		problem_set(&p->problem, status,
		    "Line %" PRIu64 ": The event is refused: %s.",
		    streamed_line(p->streamed, culprit), refusal(why));
	else if (p->body.is_array)
		problem_set(&p->problem, status,
		    "The event at index %zu of the array is "
		    "refused: %s.  Nothing was stored.",
		    culprit, refusal(why));
	else
		problem_set(&p->problem, status, "The event is refused: %s.",
		    refusal(why));
}

/* What the client is told of trouble with the log, and the operator. */
static void
refuse_log(struct publish *p, enum log_result result, const char *why)
{
	const char *lost = p->streamed != NULL ? "" : "  Nothing was stored.";

	switch (result) {
	case LOG_BUSY:
		problem_set(&p->problem, 503,
		    "Others kept the log locked.%s  Send it again.", lost);
		p->problem.retry_s = 1;
		break;
	case LOG_FULL:
		problem_set(&p->problem, 507,
		    "There is no space left for the log.%s", lost);
		break;
	default:
		problem_set(&p->problem, 500,
		    "The log cannot be written; the web "
		    "server's error log has the reason.%s",
		    lost);
		break;
	}
	warn_line("log: %s: %s", p->config->db, why);
}

static void
count(struct publish *p, const struct log_receipt *receipts)
{
	for (size_t i = 0; i < p->n; i++)
		p->counts.new += receipts[i].is_new ? 1 : 0;
	p->counts.events += p->n;
	p->counts.last_id = receipts[p->n - 1].id;
}

/* All of this piece is stored: go on. */
static void
go_on(struct publish *p, const struct log_receipt *receipts)
{
	if (p->streamed == NULL) {
		p->answer = answer_receipts(p->cors, receipts, p->n,
		    p->body.is_array, &p->answer_len);
		p->want = PUBLISH_ANSWER;
		return;
	}
	count(p, receipts);
	streamed_clear(p->streamed);
	if (p->is_refused)
		refuse(p);
	else
		p->want = p->is_over ? PUBLISH_ANSWER : PUBLISH_INPUT;
}

bool
publish_appended(struct publish *p, enum log_result result,
    const struct log_receipt *receipts, size_t culprit, const char *why)
{
	assert(p->want == PUBLISH_APPEND);
	if (result == LOG_OK) {
		go_on(p, receipts);
		return false;
	}
	if (result == LOG_REFUSED || result == LOG_CONFLICT) {
		refuse_event(p, result == LOG_REFUSED ? 422 : 409, culprit,
		    why);
		p->is_refused = true;
		if (p->streamed != NULL && culprit > 0) {
			p->n = culprit;
			return true;
		}
	} else {
		refuse_log(p, result, why);
	}
	refuse(p);
	return false;
}

/* ---- the answer ---- */

/* What was stored before it came to this. */
static void
tell_counts(struct publish *p)
{
	struct problem *problem = &p->problem;
	char detail[sizeof(problem->detail)] = "";
	size_t n = 250; /* whole characters */

	(void)snprintf(detail, sizeof(detail), "%s", problem->detail);
	while (n > 0 && ((unsigned char)detail[n] & 0xc0) == 0x80)
		n--;
	detail[n] = '\0';
	(void)snprintf(problem->detail, sizeof(problem->detail),
	    "%.250s  Events stored before it: %" PRIu64 "; after it: none.",
	    detail, p->counts.events);
	(void)snprintf(problem->members, sizeof(problem->members),
	    ",\"events\":%" PRIu64 ",\"last_id\":%" PRId64, p->counts.events,
	    p->counts.last_id);
}

const char *
publish_answer(struct publish *p, size_t *len)
{
	assert(p->want == PUBLISH_ANSWER);
	if (p->answer == NULL && p->is_preflight) {
		p->answer = answer_options(p->cors, p->is_allowed, len);
		p->answer_len = *len;
	} else if (p->answer == NULL && p->is_refused) {
		if (p->streamed != NULL)
			tell_counts(p);
		p->answer = answer_problem(p->cors, &p->problem, len);
		p->answer_len = *len;
	} else if (p->answer == NULL && p->streamed != NULL) {
		p->counts.passed_over = streamed_passed(p->streamed);
		p->counts.is_unfinished = streamed_is_unfinished(p->streamed);
		p->answer = answer_counts(p->cors, &p->counts, len);
		p->answer_len = *len;
	}
	*len = p->answer_len;
	return p->answer;
}

/* ---- making ---- */

static int
begin(struct publish *p, const char *const *vars, bool is_framed)
{
	const char *method = form_var(vars, "REQUEST_METHOD");
	const char *type = form_var(vars, "CONTENT_TYPE");
	const char *query = form_var(vars, "QUERY_STRING");

	p->is_allowed = cors_write(p->config->origins, p->config->n_origins,
	    form_var(vars, "HTTP_ORIGIN"), p->cors);
	p->is_preflight = method != NULL && strcmp(method, "OPTIONS") == 0;
	if (p->is_preflight)
		return 0;
	if (gate_check(p->config, vars, &type, &p->problem) != 0 ||
	    read_length(p, form_var(vars, "CONTENT_LENGTH"), is_framed) != 0)
		return -1;
	p->type = strdup(type != NULL ? type : "");
	p->query = strdup(query != NULL ? query : "");
	if (p->type == NULL || p->query == NULL)
		return problem_memory(&p->problem);
	return open_body(p);
}

struct publish *
publish_new(const struct publisher_config *config, struct log_json *json,
    const char *const *vars, bool is_framed)
{
	struct publish *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->config = config;
	p->json = json;
	p->length = -1;
	if (begin(p, vars, is_framed) != 0)
		p->is_refused = true;
	return p;
}

void
publish_free(struct publish *p)
{
	if (p == NULL)
		return;
	streamed_free(p->streamed);
	body_free(&p->body);
	free(p->bytes);
	free(p->type);
	free(p->query);
	free(p->answer);
	free(p);
}

enum publish_want
publish_want(const struct publish *p)
{
	return p->want;
}

bool
publish_is_refused(const struct publish *p)
{
	return p->is_refused;
}

int64_t
publish_length(const struct publish *p)
{
	return p->length;
}
