#ifndef ROWCAST_PUBLISH_H
#define ROWCAST_PUBLISH_H

#include "lib/log/log.h"
#include "publisher_config.h"

/*
 * One publishing request, from its variables to its answer.  It neither reads
 * nor writes nor waits: who has it gives it what comes and does what it wants.
 */
struct publish;

enum publish_want {
	PUBLISH_INPUT,  /* publish_take() or publish_over() */
	PUBLISH_APPEND, /* publish_events() are to be appended: commit.h */
	PUBLISH_ANSWER, /* publish_answer() is to be sent: nothing more follows */
};

/*
 *   shape    vars is an environment; is_framed: the end of the body is known
 *            without a Content-Length
 *   returns  NULL if out of memory
 *   owns     the caller; publish_free().  Lends config and json; vars are not
 *            looked at any more
 */
struct publish *publish_new(const struct publisher_config *config,
    struct log_json *json, const char *const *vars, bool is_framed);
void publish_free(struct publish *p); /* p may be NULL */

enum publish_want publish_want(const struct publish *p);

/* Is it to be answered with a refusal, and only waits for the body to end? */
bool publish_is_refused(const struct publish *p);

/* What CONTENT_LENGTH said; -1 if nothing that can be believed. */
int64_t publish_length(const struct publish *p);

/*
 * While it wants input: some of the body, or its end.  What a refused request
 * sends is thrown away, up to a bound, since web servers drop an answer that
 * comes while they are sending.
 */
void publish_take(struct publish *p, const char *bytes, size_t len);
void publish_over(struct publish *p);

/* Give up waiting for the body: the answer is this refusal, or the one that it
   was to have anyway. */
void publish_stop(struct publish *p, int status, const char *detail);

/* While it wants them appended: lent until publish_appended(). */
const struct event *publish_events(const struct publish *p, size_t *n);

/*
 * What became of them, with the receipts if LOG_OK (lent); else why, for the
 * operator, and culprit, for LOG_REFUSED and LOG_CONFLICT.
 *   returns  true if publish_events() are fewer now and to be tried again: of a
 *            body that is published as it comes, those before the culprit count
 */
bool publish_appended(struct publish *p, enum log_result result,
    const struct log_receipt *receipts, size_t culprit, const char *why);

/* The answer, once it wants that: lent; NULL if out of memory. */
const char *publish_answer(struct publish *p, size_t *len);

#endif
