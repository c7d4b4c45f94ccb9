#ifndef ROWCAST_FUZZ_PEER_H
#define ROWCAST_FUZZ_PEER_H

#include "fuzz.h"

/*
 * A web server's end of a FastCGI connection: it builds requests, valid or not,
 * sends them in parts, and parses records strictly.
 *   source   FastCGI 1.0 specification
 */
#define PEER_TODO_MAX 4096

struct peer {
	int fd; /* -1: not open */
	uint8_t todo[PEER_TODO_MAX];
	size_t todo_len;
	size_t todo_at; /* so much of it was sent */
	uint8_t in[8 + 65535 + 255];
	size_t in_len;
	uint16_t id; /* of the request */
	bool keeps;
	bool is_clean;  /* it has said nothing but right requests */
	bool is_asking; /* there is a request, and no END for it yet */
	bool has_aborted;
	bool is_over;   /* that was the last STDOUT record */
	bool is_ended;  /* it has sent END, and is to close or to go on */
	bool is_closed; /* the other end has closed */
	size_t moved;   /* bytes, to and fro */
};

/* Open; returns the descriptor for the program under test.  Its socket takes
   about so many bytes before it is full. */
int peer_open(struct peer *p, int room);
void peer_close(struct peer *p);

/* May a clean peer ask something now?  Not after it gave up: that may be read
   after the end, as the begin of what is no request. */
bool peer_is_free(const struct peer *p);

/* These append to the bytes that are to be sent. */
void peer_record(struct peer *p, int type, unsigned id, const void *bytes,
    size_t len, size_t padding);

/*
 * A request: BEGIN_REQUEST and PARAMS; the input chooses the records.
 *   vars   "NAME=value", NULL at the end
 */
void peer_ask(struct peer *p, struct choices *c, const char *const *vars);

/* STDIN; the input chooses the records; is_last: and its end. */
void peer_body(struct peer *p, struct choices *c, struct text body,
    bool is_last);

/* Records that no web server sends, or not here. */
void peer_babble(struct peer *p, struct choices *c);

/* Sends some of the bytes. */
void peer_send(struct peer *p, size_t max);

/*
 * Reads at most max bytes.  Calls content for each piece of a response, end at
 * its end.  A clean peer requires that records belong to its request, and are
 * in order and complete.
 */
struct peer_handler {
	void (*content)(void *cookie, const char *bytes, size_t len);
	void (*end)(void *cookie);
};
void peer_receive(struct peer *p, size_t max, const struct peer_handler *h,
    void *cookie);

#endif
