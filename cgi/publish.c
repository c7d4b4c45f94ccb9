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
#include <stdlib.h>
#include <string.h>

#include "lib/body/body.h"
#include "lib/form.h"
#include "lib/warn.h"
#include "answer.h"
#include "gate.h"

#define DISCARD_MAX ((size_t)16 * 1024 * 1024) /* of a refused body */

/*
 *   cors      header lines of any answer
 *   has_ended the body has ended
 *   problem   the answer if its status is not 0
 *   discarded bytes, while PUBLISH_DISCARDING
 *   length    of the body as announced; -1: unknown
 *   len       of the body so far
 *   counts    of a streamed body
 *   events    to append; lent by body
 *   answer    NULL: not known yet, or derived from problem or counts
 */
struct publish {
	const struct publisher_config *config;
	enum publish_state state;
	bool has_ended;
	char cors[CORS_MAX];
	struct problem problem;
	size_t discarded;
	int64_t length;
	int64_t len;
	struct body *body;
	struct answer_counts counts;
	const struct event *events;
	size_t n;
	char *answer;
	size_t answer_len;
};

static bool
is_streamed(const struct publish *p)
{
	return p->body != NULL && body_facts(p->body)->is_streamed;
}

/* The end of a detail: of a body that is not streamed, all events are stored
   or none. */
static const char *
nothing_stored(const struct publish *p)
{
	return is_streamed(p) ? "" : "  Nothing was stored.";
}

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
	if (p->state == PUBLISH_READING || is_streamed(p))
		return;
	body_free(p->body);
	p->body = NULL;
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
	if (text == NULL || text[0] == '\0')
		return problem_set(&p->problem, 411,
		    "Send a Content-Length: a body of unknown "
		    "length (Transfer-Encoding: chunked) is not accepted.");
	if (text[strspn(text, "0123456789")] != '\0')
		return problem_set(&p->problem, 400,
		    "Content-Length is not a number.");
	for (; *text != '\0' && n < INT64_MAX / 100; text++)
		n = n * 10 + (*text - '0');
	p->length = n;
	return 0;
}

/* Append what was completed, also before a problem; else read on. */
static void
use_events(struct publish *p)
{
	p->events = body_events(p->body, &p->n);
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
		return;
	}
	p->len += (int64_t)len;
	(void)body_take(p->body, bytes, len, &p->problem); /* kept in p */
	use_events(p);
}

void
publish_end(struct publish *p)
{
	assert(p->state <= PUBLISH_DISCARDING && !p->has_ended);
	p->has_ended = true;
	if (p->state == PUBLISH_DISCARDING) {
		read_on(p);
	} else if (p->len < p->length) {
		problem_set(&p->problem, 400,
		    "The body ended after %" PRId64 " of %" PRId64 " bytes.%s",
		    p->len, p->length, nothing_stored(p));
		read_on(p);
	} else {
		(void)body_end(p->body, &p->problem); /* kept in p */
		use_events(p);
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
	char where[BODY_WHERE_MAX];

	body_where(p->body, culprit, where);
	problem_set(&p->problem, status, "%sThe event is refused: %s.%s", where,
	    why, nothing_stored(p));
}

/* Answer that the log failed, and warn of the reason. */
static void
refuse_log(struct publish *p, enum log_result result, const char *why)
{
	const char *lost = nothing_stored(p);

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
	if (is_streamed(p)) {
		count(p, receipts);
		body_clear(p->body);
	} else {
		p->answer = answer_receipts(p->cors, receipts, p->n,
		    body_facts(p->body)->is_array, &p->answer_len);
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
		if (is_streamed(p) && culprit > 0) {
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
		    is_streamed(p) ? &p->counts : NULL, &p->answer_len);
	} else if (p->answer == NULL && is_streamed(p)) {
		p->counts.passed_over = body_facts(p->body)->passed;
		p->counts.is_unfinished = body_facts(p->body)->is_unfinished;
		p->answer = answer_counts(p->cors, &p->counts, &p->answer_len);
	}
	*len = p->answer_len;
	return p->answer;
}

/* ---- making ---- */

static int
begin(struct publish *p, struct log *json, const char *const *vars,
    bool is_framed)
{
	const char *method = form_var(vars, "REQUEST_METHOD");
	const char *type = form_var(vars, "CONTENT_TYPE");
	struct body_options options = {
		.query = form_var(vars, "QUERY_STRING"),
		.max_bytes = p->config->max_body_bytes,
		.limit_name = "--max-body-bytes",
	};
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
	options.media = media_find(type);
	options.length = p->length;
	p->body = body_new(&options, json, &p->problem);
	return p->body != NULL ? 0 : -1;
}

struct publish *
publish_new(const struct publisher_config *config, struct log *json,
    const char *const *vars, bool is_framed)
{
	struct publish *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->config = config;
	p->length = -1;
	(void)begin(p, json, vars, is_framed); /* a problem is kept in p */
	read_on(p);
	return p;
}

void
publish_free(struct publish *p)
{
	if (p == NULL)
		return;
	body_free(p->body);
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
