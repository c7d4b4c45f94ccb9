#ifndef ROWCAST_FUZZ_PEER_H
#define ROWCAST_FUZZ_PEER_H

#include "fuzz.h"

/*
 * A web server's end of a FastCGI connection: it puts requests together, right
 * or wrong, sends them in parts, and reads records strictly.
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

/* Things to say.  They are put at the end of what is to be sent. */
void peer_record(struct peer *p, int type, unsigned id, const void *bytes,
    size_t len, size_t padding);

/*
 * A request: BEGIN_REQUEST and PARAMS, in records as they are chosen.
 *   vars   "NAME=value", NULL at the end
 */
void peer_ask(struct peer *p, struct choices *c, const char *const *vars);

/* STDIN, in records as they are chosen; is_last: and its end. */
void peer_body(struct peer *p, struct choices *c, struct text body,
    bool is_last);

/* What no web server says, or not in this place. */
void peer_babble(struct peer *p, struct choices *c);

/* Send some of it. */
void peer_send(struct peer *p, size_t max);

/*
 * Read at most max bytes.  content is called for each piece of a response, end
 * for the end of one.  A clean peer requires that records are for its request,
 * in order, and whole.
 */
struct peer_handler {
	void (*content)(void *cookie, const char *bytes, size_t len);
	void (*end)(void *cookie);
};
void peer_receive(struct peer *p, size_t max, const struct peer_handler *h,
    void *cookie);

#endif
