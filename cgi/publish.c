/*
 * One publishing request: method, access, body, append, answer.
 *
 * A step that fails fills in the problem, which is the answer once the body has
 * ended.  A problem names no path and no reason of the system; the operator's
 * line on standard error does.
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
#include "gate.h"

#define DISCARD_MAX ((size_t)16 * 1024 * 1024) /* of a refused body */

/*
 *   cors      header lines of any answer
 *   has_ended the body has
 *   problem   the answer if its status is not 0
 *   discarded bytes, while PUBLISH_DISCARDING
 *   length    of the body; -1: unknown
 *   bytes     the body, if it is parsed as a whole
 *   len       bytes of the body so far
 *   streamed  parses a body that is published as it comes; else NULL
 *   counts    of such a body
 *   events    to append; borrowed from body or streamed
 *   answer    NULL: not known yet, or derived from problem or counts
 */
struct publish {
	const struct publisher_config *config;
	struct log_json *json;
	enum publish_state state;
	bool has_ended;
	char cors[CORS_MAX];
	struct problem problem;
	size_t discarded;
	int64_t length;
	char *type;
	char *query;
	char *bytes;
	size_t len;
	size_t cap;
	struct body body;
	struct streamed *streamed;
	struct answer_counts counts;
	const struct event *events;
	size_t n;
	char *answer;
	size_t answer_len;
};

static bool
is_refused(const struct publish *p)
{
	return p->problem.status != 0;
}

/* Go on with the body, or answer if it has ended. */
static void
read_on(struct publish *p)
{
	if (p->has_ended)
		p->state = PUBLISH_ANSWERING;
	else if (is_refused(p) || p->answer != NULL)
		p->state = PUBLISH_DISCARDING;
	else
		p->state = PUBLISH_READING;
	if (p->state == PUBLISH_READING)
		return;
	free(p->bytes);
	p->bytes = NULL;
}

/* ---- the body ---- */

static int
read_length(struct publish *p, const char *text, bool is_framed)
{
	int64_t n = 0;

	/* lighttpd sends -1 for a body of unknown length */
	if (is_framed &&
	    (text == NULL || text[0] == '\0' || strcmp(text, "-1") == 0))
		return 0;
	if (text == NULL || text[0] == '\0') {
		problem_set(&p->problem, 411,
		    "Send a Content-Length: a body of unknown "
		    "length (Transfer-Encoding: chunked) is not accepted.");
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

/* Prepare to read the body. */
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

/* Make room for len bytes of a whole body and a byte more: malloc(0) may return
   NULL. */
static int
make_room(struct publish *p, size_t len)
{
	size_t cap = p->len + len + 1;
	char *grown;

	if (cap <= p->cap)
		return 0;
	if (p->length >= (int64_t)cap)
		cap = (size_t)p->length + 1;
	else
		cap += cap / 2;
	grown = realloc(p->bytes, cap);
	if (grown == NULL)
		return problem_memory(&p->problem);
	p->bytes = grown;
	p->cap = cap;
	return 0;
}

static void
take_whole(struct publish *p, const char *bytes, size_t len)
{
	if (len > p->config->max_body_bytes - p->len) {
		(void)refuse_size(p);
	} else if (make_room(p, len) == 0) {
		memcpy(p->bytes + p->len, bytes, len);
		p->len += len;
	}
	read_on(p);
}

/* Append what was completed, also before a problem. */
static void
use_streamed(struct publish *p)
{
	p->events = streamed_events(p->streamed, &p->n);
	if (p->n > 0)
		p->state = PUBLISH_APPENDING;
	else
		read_on(p);
}

void
publish_take(struct publish *p, const char *bytes, size_t len)
{
	assert(p->state <= PUBLISH_DISCARDING && !p->has_ended);
	if (p->state == PUBLISH_DISCARDING) {
		p->discarded += len;
		if (p->discarded > DISCARD_MAX)
			p->state = PUBLISH_ANSWERING;
	} else if (p->streamed != NULL) {
		p->len += len;
		/* a problem is kept in p */
		(void)streamed_take(p->streamed, bytes, len, &p->problem);
		use_streamed(p);
	} else {
		take_whole(p, bytes, len);
	}
}

static void
use_whole(struct publish *p)
{
	if (body_parse(p->json, p->type, p->query, p->bytes, p->len, &p->body,
		&p->problem) != 0) {
		read_on(p);
		return;
	}
	p->events = p->body.events;
	p->n = p->body.n_events;
	p->state = PUBLISH_APPENDING;
}

static void
refuse_cut(struct publish *p)
{
	problem_set(&p->problem, 400,
	    "The body ended after %zu of %" PRId64 " bytes.%s", p->len,
	    p->length, p->streamed != NULL ? "" : "  Nothing was stored.");
	read_on(p);
}

void
publish_end(struct publish *p)
{
	assert(p->state <= PUBLISH_DISCARDING && !p->has_ended);
	p->has_ended = true;
	if (p->state == PUBLISH_DISCARDING) {
		read_on(p);
	} else if (p->length >= 0 && (int64_t)p->len < p->length) {
		refuse_cut(p);
	} else if (p->streamed != NULL) {
		(void)streamed_end(p->streamed, &p->problem);
		use_streamed(p);
	} else {
		use_whole(p);
	}
}

void
publish_stop(struct publish *p, int status, const char *detail)
{
	if (p->state != PUBLISH_DISCARDING)
		problem_set(&p->problem, status, "%s", detail);
	p->state = PUBLISH_ANSWERING;
}

/* ---- the log ---- */

const struct event *
publish_events(const struct publish *p, size_t *n)
{
	assert(p->state == PUBLISH_APPENDING);
	*n = p->n;
	return p->events;
}

static void
refuse_event(struct publish *p, int status, size_t culprit, const char *why)
{
	if (p->streamed != NULL)
		problem_set(&p->problem, status,
		    "Line %" PRIu64 ": The event is refused: %s.",
		    streamed_line(p->streamed, culprit), why);
	else if (p->body.is_array)
		problem_set(&p->problem, status,
		    "The event at index %zu of the array is "
		    "refused: %s.  Nothing was stored.",
		    culprit, why);
	else
		problem_set(&p->problem, status, "The event is refused: %s.",
		    why);
}

/* Answer that the log failed, and tell the operator why. */
static void
refuse_log(struct publish *p, enum log_result result, const char *why)
{
	const char *lost = p->streamed != NULL ? "" : "  Nothing was stored.";

	switch (result) {
	case LOG_BUSY:
		problem_set(&p->problem, 503,
		    "Other programs kept the log locked.%s  Send it again.",
		    lost);
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

static void
use_receipts(struct publish *p, const struct log_receipt *receipts)
{
	if (p->streamed == NULL) {
		p->answer = answer_receipts(p->cors, receipts, p->n,
		    p->body.is_array, &p->answer_len);
	} else {
		count(p, receipts);
		streamed_clear(p->streamed);
	}
	read_on(p);
}

bool
publish_appended(struct publish *p, enum log_result result,
    const struct log_receipt *receipts, size_t culprit, const char *why)
{
	assert(p->state == PUBLISH_APPENDING);
	switch (result) {
	case LOG_OK:
		use_receipts(p, receipts);
		return false;
	case LOG_REFUSED:
	case LOG_CONFLICT:
		refuse_event(p, result == LOG_REFUSED ? 422 : 409, culprit,
		    why);
		if (p->streamed != NULL && culprit > 0) {
			p->n = culprit;
			return true;
		}
		break;
	default:
		refuse_log(p, result, why);
	}
	read_on(p);
	return false;
}

/* ---- the answer ---- */

const char *
publish_answer(struct publish *p, size_t *len)
{
	assert(p->state == PUBLISH_ANSWERING);
	if (p->answer == NULL && is_refused(p)) {
		p->answer = answer_problem(p->cors, &p->problem,
		    p->streamed != NULL ? &p->counts : NULL, &p->answer_len);
	} else if (p->answer == NULL && p->streamed != NULL) {
		p->counts.passed_over = streamed_passed(p->streamed);
		p->counts.is_unfinished = streamed_is_unfinished(p->streamed);
		p->answer = answer_counts(p->cors, &p->counts, &p->answer_len);
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
	bool is_allowed;

	is_allowed = cors_write(&p->config->cors, form_var(vars, "HTTP_ORIGIN"),
	    p->cors);
	if (method != NULL && strcmp(method, "OPTIONS") == 0) {
		p->answer = answer_options(p->cors, is_allowed, &p->answer_len);
		return p->answer != NULL ? 0 : problem_memory(&p->problem);
	}
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
	(void)begin(p, vars, is_framed); /* a problem is kept in p */
	read_on(p);
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

enum publish_state
publish_state(const struct publish *p)
{
	return p->state;
}

int64_t
publish_length(const struct publish *p)
{
	return p->length;
}
