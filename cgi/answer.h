#ifndef ROWCAST_CGI_ANSWER_H
#define ROWCAST_CGI_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/log/log.h"
#include "lib/problem.h"

/*
 * CGI responses of the publisher, whole and in memory.  All functions:
 *   shape    cors is what cors_write() wrote
 *   returns  the response with *len set; NULL if out of memory
 *   owns     the caller calls free()
 *   source   RFC 3875, 6
 */

#define ANSWER_ALLOW "Allow: POST, PUT, OPTIONS"

/*
 * The result of a streamed body.
 *   new      events that were not repeats of a key
 *   passed_over  as in struct body_facts
 *   last_id  of the last event
 *   is_unfinished  the body ended within an event, which is not counted
 */
struct answer_counts {
	uint64_t events;
	uint64_t new;
	uint64_t passed_over;
	int64_t last_id;
	bool is_unfinished;
};

/* A problem.  If counts is not NULL, the detail and the members events and
   last_id say what was stored before it. */
char *answer_problem(const char *cors, const struct problem *p,
    const struct answer_counts *counts, size_t *len);

/* 204 to OPTIONS; is_allowed is what cors_write() returned. */
char *answer_options(const char *cors, bool is_allowed, size_t *len);

/*
 * {"id":42}, or {"ids":[42,43]} if the body was an array.  The status is 201,
 * or 200 if all events are repeats of a key.
 */
char *answer_receipts(const char *cors, const struct log_receipt *receipts,
    size_t n, bool is_array, size_t *len);

/*
 * {"events":17,"new":17,"passed_over":0,"last_id":42}, followed by
 * "unfinished":true if so.  The status is 201, or 200 if no event is new.
 */
char *answer_counts(const char *cors, const struct answer_counts *counts,
    size_t *len);

#endif
