#ifndef ROWCAST_CGI_ANSWER_H
#define ROWCAST_CGI_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/log.h"
#include "../lib/problem.h"

/*
 * CGI responses of the publisher, to descriptor 1.  Each returns 0, or -1 if
 * it could not be written, which has been warned of.
 *   shape    cors is what cors_write() wrote
 *   source   RFC 3875, 6
 */

#define ANSWER_ALLOW "Allow: POST, OPTIONS"

int answer_problem(const char *cors, const struct problem *p);

/* 204; is_allowed is what cors_write() said. */
int answer_options(const char *cors, bool is_allowed);

/*
 * {"id":42}, or {"ids":[42,43]} for an array: 201, or 200 if each event was a
 * repeat of a key.
 */
int answer_receipts(const char *cors, const struct log_receipt *receipts,
    size_t n, bool is_array);

/* Text for people, without a header. */
int answer_text(const char *bytes, size_t len);

#endif
