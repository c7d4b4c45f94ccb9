#ifndef ROWCAST_CGI_ANSWER_H
#define ROWCAST_CGI_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/log/log.h"
#include "lib/problem.h"

/*
 * CGI responses of the publisher.  Each is made in memory and goes out whole.
 *   shape    cors is what cors_write() wrote
 *   returns  the response and its *len; NULL if out of memory
 *   owns     the caller; free()
 *   source   RFC 3875, 6
 */

#define ANSWER_ALLOW "Allow: POST, PUT, OPTIONS"

char *answer_problem(const char *cors, const struct problem *p, size_t *len);

/* 204; is_allowed is what cors_write() said. */
char *answer_options(const char *cors, bool is_allowed, size_t *len);

/*
 * {"id":42}, or {"ids":[42,43]} for an array: 201, or 200 if each event was a
 * repeat of a key.
 */
char *answer_receipts(const char *cors, const struct log_receipt *receipts,
    size_t n, bool is_array, size_t *len);

/*
 * What became of a body that was published as it came.
 *   new      of the events, those that were no repeat of a key
 *   last_id  of the last event
 *   is_unfinished  it ended within an event, which is not counted
 */
struct answer_counts {
	uint64_t events;
	uint64_t new;
	uint64_t passed_over;
	int64_t last_id;
	bool is_unfinished;
};

/* {"events":17,"new":17,"passed_over":0,"last_id":42}, with "unfinished":true
   behind it if so: 201, or 200 if none is new. */
char *answer_counts(const char *cors, const struct answer_counts *counts,
    size_t *len);

#endif
