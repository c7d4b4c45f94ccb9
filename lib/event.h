#ifndef ROWCAST_EVENT_H
#define ROWCAST_EVENT_H

#include <stdint.h>

#include "text.h"

/*
 * One row of the log, or one that wants to become a row.
 *   id        row id, >= 1; 0 while the log has not given one
 *   topic     what the event is about; empty is a topic like any other
 *   name      the SSE event name, column "event"; "message" is the default
 *   retry_ms  reconnection time for the client, or EVENT_NO_RETRY
 *   key       the publisher's idempotency key; bytes NULL for none
 */
struct event {
	int64_t id;
	struct text topic;
	struct text name;
	struct text data;
	struct text key;
	int64_t retry_ms;
};

#define EVENT_NO_RETRY ((int64_t)-1)
#define EVENT_RETRY_MAX_MS 86400000 /* in sql/schema.sql, too */
#define EVENT_DATA_MAX 268435456    /* largest limit of data that may be set */
#define EVENT_DEFAULT_NAME "message"
#define EVENT_NAME_MAX 255       /* bytes of a topic, an event name or a key */
#define EVENT_RESERVED "stream-" /* event names that only rowcast sends */

#endif
