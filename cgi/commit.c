/*
 * Append for several requests in one transaction.
 *
 * A request whose events are refused leaves the transaction, which goes on.  If
 * the transaction fails (say, the disk is full), each request is tried alone, so
 * that one that is too large does not fail the others.
 */
#include "commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3 /* if the file is replaced during a commit */

struct commit {
	const struct publisher_config *config;
	int busy_ms;
	struct log *log;
	char why[LOG_WHY_MAX];
	struct log_receipt *receipts; /* of all requests of a transaction */
	size_t receipts_cap;
};

/* The events of one request in the transaction. */
struct added {
	bool is_added;
	size_t first; /* index of the first receipt */
};

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
	log_close(c->log);
	c->log = NULL;
	return log_open(&options, &c->log, c->why);
}

/* After a failure, open the log anew: it may be another file by then. */
static void
close_log(struct commit *c)
{
	log_close(c->log);
	c->log = NULL;
}

static enum log_result
keep_why(struct commit *c, enum log_result result)
{
	if (result != LOG_OK)
		(void)memcpy(c->why, log_why(c->log), sizeof(c->why));
	return result;
}

static int
reserve(struct commit *c, struct publish *const *requests, size_t n)
{
	struct log_receipt *receipts;
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len;

		if (publish_state(requests[i]) != PUBLISH_APPENDING)
			continue;
		(void)publish_events(requests[i], &len);
		total += len;
	}
	if (total <= c->receipts_cap)
		return 0;
	receipts = reallocarray(c->receipts, total, sizeof(*receipts));
	if (receipts == NULL)
		return -1;
	c->receipts = receipts;
	c->receipts_cap = total;
	return 0;
}

/*
 * Add the events of one request.  If they are refused and the request is alone,
 * call publish_appended() at once; in a transaction of several, only leave them
 * out, because the row that has their key may still be rolled back.
 */
static enum log_result
add(struct commit *c, struct publish *p, size_t first, bool is_alone,
    bool *is_added)
{
	enum log_result result;
	size_t n, culprit = 0;
	const struct event *events;

	for (;;) {
		events = publish_events(p, &n);
		result = keep_why(c,
		    log_group_add(c->log, events, n, c->receipts + first,
			&culprit));
		*is_added = result == LOG_OK;
		if (result != LOG_REFUSED && result != LOG_CONFLICT)
			return result;
		if (!is_alone ||
		    !publish_appended(p, result, NULL, culprit, c->why))
			return LOG_OK;
	}
}

/* Begin, add all, commit.  If LOG_OK, added says which requests are on disk. */
static enum log_result
try_group(struct commit *c, struct publish *const *requests, size_t n,
    struct added *added)
{
	enum log_result result = keep_why(c, log_group_begin(c->log));
	size_t first = 0;

	if (result != LOG_OK)
		return result;
	for (size_t i = 0; i < n; i++) {
		size_t len;

		if (publish_state(requests[i]) != PUBLISH_APPENDING)
			continue; /* refused by a try that failed later */
		(void)publish_events(requests[i], &len);
		added[i].first = first;
		first += len;
		result = add(c, requests[i], added[i].first, n == 1,
		    &added[i].is_added);
		if (result != LOG_OK) {
			log_group_drop(c->log);
			return result;
		}
	}
	return keep_why(c, log_group_commit(c->log));
}

static void
report_stored(struct commit *c, struct publish *const *requests, size_t n,
    const struct added *added)
{
	for (size_t i = 0; i < n; i++)
		if (added[i].is_added)
			(void)publish_appended(requests[i], LOG_OK,
			    c->receipts + added[i].first, 0, NULL);
}

static void
each_alone(struct commit *c, struct publish *const *requests, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (publish_state(requests[i]) == PUBLISH_APPENDING)
			/* or it waits on */
			(void)commit_all(c, requests + i, 1);
}

static enum log_result
append(struct commit *c, struct publish *const *requests, size_t n,
    struct added *added)
{
	enum log_result result = open_log(c);

	memset(added, 0, n * sizeof(*added));
	return result == LOG_OK ? try_group(c, requests, n, added) : result;
}

/*
 * Events that were stored in a file that has lost its place are lost.  Store
 * them again, in the file that is at the path now.
 */
static enum log_result
append_in_place(struct commit *c, struct publish *const *requests, size_t n,
    struct added *added)
{
	for (int i = 0; i < TRIES; i++) {
		enum log_result result = append(c, requests, n, added);

		if (result != LOG_OK || !log_is_replaced(c->log))
			return result;
	}
	(void)snprintf(c->why, sizeof(c->why),
	    "the file was replaced during each of several tries");
	return LOG_BUSY;
}

int
commit_all(struct commit *c, struct publish *const *requests, size_t n)
{
	struct added *added = calloc(n, sizeof(*added));
	enum log_result result = LOG_NO_MEMORY;

	if (added == NULL || reserve(c, requests, n) != 0)
		(void)snprintf(c->why, sizeof(c->why), "out of memory");
	else
		result = append_in_place(c, requests, n, added);
	if (result == LOG_OK)
		report_stored(c, requests, n, added);
	free(added);
	if (result == LOG_BUSY)
		return -1;
	if (result == LOG_OK && n == 1)
		return 0;
	if (result != LOG_OK && result != LOG_FULL)
		close_log(c);
	if (n > 1)
		each_alone(c, requests, n);
	else if (publish_state(requests[0]) == PUBLISH_APPENDING)
		(void)publish_appended(requests[0], result, NULL, 0, c->why);
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

void
commit_free(struct commit *c)
{
	if (c == NULL)
		return;
	log_close(c->log);
	free(c->receipts);
	free(c);
}
