#ifndef ROWCAST_EVENT_H
#define ROWCAST_EVENT_H

#include <stdint.h>

#include "text.h"

/*
 * An event: a row of the log, or one to be appended.
 *   id          row id, >= 1; 0 before the event is appended
 *   topic       may be empty, which is a topic like any other
 *   name        the SSE event name; column "event"
 *   data        empty in a huge event, whose data is read in parts: see
 *               log_read_part()
 *   huge_len    the length of that data in bytes; 0 in all other events
 *   key         the publisher's idempotency key; bytes NULL for none
 *   retry_ms    reconnection time for the client, or EVENT_NO_RETRY
 *   created_ms  in ms since 1970; like key, log_read() sets it only in a range
 *               with is_full
 */
struct event {
	int64_t id;
	struct text topic;
	struct text name;
	struct text data;
	size_t huge_len;
	struct text key;
	int64_t retry_ms;
	int64_t created_ms;
};

#define EVENT_NO_RETRY ((int64_t)-1)
#define EVENT_DATA_MAX 268435456 /* largest limit of data that may be set */
#define EVENT_DEFAULT_NAME "message"

/* The limits of sql/schema.sql. */
#define EVENT_ID_MAX INT64_C(9007199254740991)
#define EVENT_RETRY_MAX_MS 86400000
#define EVENT_NAME_MAX 255       /* bytes of a topic, an event name or a key */
#define EVENT_RESERVED "stream-" /* prefix of names that only rowcast sends */

#endif
