/*
 * Appending for requests, in groups.
 *
 * A request whose events are refused leaves the group, which goes on.  If the
 * group itself fails (the disk is full, say), each is tried alone: one that is
 * too large is not to spoil the others.
 */
#include "commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3 /* to store what went into a file that was replaced */

struct commit {
	const struct publisher_config *config;
	int busy_ms;
	struct log *log;
	char why[LOG_WHY_MAX];
	struct log_receipt *receipts; /* of all requests of a group */
	size_t receipts_cap;
};

/* What is to be told once the group is on disk. */
struct added {
	bool is_added;
	size_t first; /* receipt */
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

/* A log that fails is opened anew the next time: it may be another file. */
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

/* Add the events of one request.  What the log refuses it is told at once. */
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
		if (!is_alone) /* the row with its key may be undone yet */
			return LOG_OK;
		if (!publish_appended(p, result, NULL, culprit, c->why))
			return LOG_OK;
	}
}

/* Begin, add all, commit; LOG_OK: added says who is to be told so. */
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
			continue; /* refused in a group that failed */
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
tell_all(struct commit *c, struct publish *const *requests, size_t n,
    const struct added *added)
{
	for (size_t i = 0; i < n; i++)
		if (added[i].is_added)
			(void)publish_appended(requests[i], LOG_OK,
			    c->receipts + added[i].first, 0, NULL);
}

/* None of those who still want it gets it. */
static void
fail_all(struct commit *c, struct publish *const *requests, size_t n,
    enum log_result result)
{
	for (size_t i = 0; i < n; i++)
		if (publish_state(requests[i]) == PUBLISH_APPENDING)
			(void)publish_appended(requests[i], result, NULL, 0,
			    c->why);
}

static void
each_alone(struct commit *c, struct publish *const *requests, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (publish_state(requests[i]) == PUBLISH_APPENDING)
			(void)commit_all(c, requests + i, 1); /* or it waits */
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
 * What is stored in a file that has left its place meanwhile is lost: it is
 * stored again, in the one that is there now.
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
	    "another file takes its place again and again");
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
		tell_all(c, requests, n, added);
	free(added);
	if (result == LOG_BUSY)
		return -1;
	if (result == LOG_OK && n == 1)
		return 0;
	if (result != LOG_OK && result != LOG_FULL)
		close_log(c);
	if (n > 1)
		each_alone(c, requests, n);
	else
		fail_all(c, requests, n, result);
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
