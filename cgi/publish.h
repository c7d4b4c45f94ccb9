#ifndef ROWCAST_PUBLISH_H
#define ROWCAST_PUBLISH_H

#include "lib/log/log.h"
#include "publisher_config.h"

/*
 * One publishing request, from its variables to its answer.  It does no I/O:
 * publish_state() says what the caller does next.
 */
struct publish;

enum publish_state {
	PUBLISH_READING,    /* read the body: publish_take(), publish_end() */
	PUBLISH_DISCARDING, /* likewise; the answer is known already */
	PUBLISH_APPENDING,  /* append publish_events(): commit_all() */
	PUBLISH_ANSWERING,  /* send publish_answer(); this is the last state */
};

/*
 *   shape    vars is an environment; is_framed: the end of the body is known
 *            even if there is no Content-Length
 *   returns  NULL if out of memory
 *   owns     the caller calls publish_free().  Borrows config and json, but not
 *            vars
 */
struct publish *publish_new(const struct publisher_config *config,
    struct log *json, const char *const *vars, bool is_framed);
void publish_free(struct publish *p); /* p may be NULL */

enum publish_state publish_state(const struct publish *p);

/* Returns the valid value of CONTENT_LENGTH, or -1. */
int64_t publish_length(const struct publish *p);

/*
 * PUBLISH_READING, PUBLISH_DISCARDING: take the next piece of the body, or its
 * end.  As plain CGI, the body of a refused request is read and discarded, up
 * to a bound, because web servers drop an answer that arrives while they are
 * sending.  Over FastCGI, the connection does that: call publish_stop().
 */
void publish_take(struct publish *p, const char *bytes, size_t len);
void publish_end(struct publish *p);

/*
 * PUBLISH_READING, PUBLISH_DISCARDING: do not read on.  The answer is a problem
 * with this status and detail, unless the answer is known already.
 */
void publish_stop(struct publish *p, int status, const char *detail);

/* PUBLISH_APPENDING: the events to append, lent until publish_appended(). */
const struct event *publish_events(const struct publish *p, size_t *n);

/*
 * PUBLISH_APPENDING: take the result of log_group_add() and
 * log_group_commit().
 *   receipts  of all events if result is LOG_OK; lent
 *   culprit   index of the bad event if LOG_REFUSED or LOG_CONFLICT
 *   why       unless LOG_OK: for the operator, or the reason of a refusal
 *   returns   true if the caller must try again with the new, fewer
 *             publish_events(): if the body is streamed, the events before
 *             the culprit are stored
 */
bool publish_appended(struct publish *p, enum log_result result,
    const struct log_receipt *receipts, size_t culprit, const char *why);

/* PUBLISH_ANSWERING: the CGI response, lent; NULL if out of memory. */
const char *publish_answer(struct publish *p, size_t *len);

#endif
