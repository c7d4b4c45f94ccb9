/*
 * Append for several requests in one transaction.
 *
 * A request whose events are refused leaves the transaction, which goes on.
 * If the transaction fails (say, the disk is full), each request is tried
 * alone, so that one that is too large does not fail the others.
 */
#include "commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3 /* if the file is replaced during a commit */
#define NOT_ADDED SIZE_MAX

struct commit {
	const struct publisher_config *config;
	int busy_ms;
	struct log *log;
	char why[LOG_WHY_MAX];
	struct log_receipt *receipts; /* of all requests of a transaction */
	size_t receipts_cap;
};

static void
close_log(struct commit *c)
{
	log_close(c->log);
	c->log = NULL;
}

/* Returns whether the open file was moved away without its WAL.  Keep the
   connection then: only it knows the WAL. */
static bool
is_mixed(struct commit *c)
{
	return c->log != NULL && log_is_replaced(c->log) &&
	    log_check_wal(c->log, c->why) != 0;
}

static enum log_result
open_log(struct commit *c)
{
	const struct log_options options = {
		.path = c->config->db,
		.create = true,
		.append = true,
		.no_sync = c->config->no_sync,
		.at_once = c->busy_ms == 0,
		.bounded = true,
		.busy_ms = c->busy_ms,
	};

	if (c->log != NULL && !log_is_replaced(c->log))
		return LOG_OK;
	if (is_mixed(c))
		return LOG_BROKEN;
	close_log(c);
	return log_open(&options, &c->log, c->why);
}

static enum log_result
keep_why(struct commit *c, enum log_result result)
{
	if (result != LOG_OK)
		(void)memcpy(c->why, log_why(c->log), sizeof(c->why));
	return result;
}

/* Make room for n receipts in all. */
static int
reserve(struct commit *c, size_t n)
{
	struct log_receipt *receipts;

	if (n <= c->receipts_cap)
		return 0;
	receipts = reallocarray(c->receipts, 2 * n, sizeof(*receipts));
	if (receipts == NULL) {
		(void)snprintf(c->why, sizeof(c->why), "out of memory");
		return -1;
	}
	c->receipts = receipts;
	c->receipts_cap = 2 * n;
	return 0;
}

/*
 * Add the events of one request; *n is how many, 0 if they are refused.  If
 * they are, and the request is alone, call publish_appended() at once; in a
 * transaction of several, only leave them out, because the row that has their
 * key may still be rolled back.
 */
static enum log_result
add(struct commit *c, struct publish *p, size_t first, bool is_alone, size_t *n)
{
	enum log_result result;
	const struct event *events;
	size_t culprit = 0;

	do {
		events = publish_events(p, n);
		if (reserve(c, first + *n) != 0)
			return LOG_NO_MEMORY;
		result = keep_why(c,
		    log_group_add(c->log, events, *n, c->receipts + first,
			&culprit));
		if (result != LOG_REFUSED && result != LOG_CONFLICT)
			return result;
		*n = 0;
	} while (
	    is_alone && publish_appended(p, result, NULL, culprit, c->why));
	return LOG_OK;
}

/* Begin, add all, commit.  If LOG_OK, first has the index of the first receipt
   of each request, or NOT_ADDED. */
static enum log_result
try_group(struct commit *c, struct publish *const *requests, size_t n,
    size_t *first)
{
	enum log_result result = open_log(c);
	size_t used = 0, len;

	if (result != LOG_OK)
		return result;
	result = keep_why(c, log_group_begin(c->log));
	if (result != LOG_OK)
		return result;
	for (size_t i = 0; i < n; i++) {
		first[i] = NOT_ADDED;
		if (publish_state(requests[i]) != PUBLISH_APPENDING)
			continue; /* refused by a try that failed later */
		result = add(c, requests[i], used, n == 1, &len);
		if (result != LOG_OK) {
			log_group_drop(c->log);
			return result;
		}
		if (len > 0)
			first[i] = used;
		used += len;
	}
	return keep_why(c, log_group_commit(c->log));
}

/*
 * Events that were stored in a file that has lost its place are lost.  Store
 * them again, in the file that is at the path now.
 */
static enum log_result
append_in_place(struct commit *c, struct publish *const *requests, size_t n,
    size_t *first)
{
	for (int i = 0; i < TRIES; i++) {
		enum log_result result = try_group(c, requests, n, first);

		if (result != LOG_OK || !log_is_replaced(c->log))
			return result;
	}
	(void)snprintf(c->why, sizeof(c->why),
	    "the file was replaced during each of several tries");
	return LOG_BUSY;
}

/*
 * Returns whether to open the log anew at the next try: it may be another file.
 * Without memory, keep what was read and prepared: doing that again takes
 * thousands of allocations, and one of them may fail again.
 */
static bool
must_close(struct commit *c, enum log_result result)
{
	switch (result) {
	case LOG_OK:
	case LOG_FULL:
		return false;
	case LOG_NO_MEMORY:
		return c->log != NULL && log_group_is_open(c->log);
	default:
		return !is_mixed(c);
	}
}

int
commit_all(struct commit *c, struct publish *const *requests, size_t n)
{
	size_t *first = calloc(n, sizeof(*first));
	enum log_result result = LOG_NO_MEMORY;

	if (first == NULL)
		(void)snprintf(c->why, sizeof(c->why), "out of memory");
	else
		result = append_in_place(c, requests, n, first);
	for (size_t i = 0; result == LOG_OK && i < n; i++)
		if (first[i] != NOT_ADDED)
			(void)publish_appended(requests[i], LOG_OK,
			    c->receipts + first[i], 0, NULL);
	free(first);
	/* a request alone may have been refused before the log was busy */
	if (result == LOG_BUSY &&
	    publish_state(requests[0]) == PUBLISH_APPENDING)
		return -1;
	if (must_close(c, result))
		close_log(c);
	if (n == 1 && publish_state(requests[0]) == PUBLISH_APPENDING)
		(void)publish_appended(requests[0], result, NULL, 0, c->why);
	for (size_t i = 0; n > 1 && i < n; i++)
		if (publish_state(requests[i]) == PUBLISH_APPENDING)
			(void)commit_all(c, requests + i, 1); /* or waits on */
	return 0;
}

void
commit_busy(struct commit *c, struct publish *p)
{
	(void)publish_appended(p, LOG_BUSY, NULL, 0,
	    c->why[0] != '\0' ? c->why : "database is locked");
}

struct commit *
commit_new(const struct publisher_config *config, int busy_ms)
{
	struct commit *c = calloc(1, sizeof(*c));

	if (c != NULL) {
		c->config = config;
		c->busy_ms = busy_ms;
	}
	return c;
}

const char *
commit_open(struct commit *c)
{
	enum log_result result = open_log(c);

	return result == LOG_OK || result == LOG_BUSY ? NULL : c->why;
}

void
commit_free(struct commit *c)
{
	if (c == NULL)
		return;
	log_close(c->log);
	free(c->receipts);
	free(c);
}
