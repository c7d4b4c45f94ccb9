#ifndef ROWCAST_EXCHANGE_H
#define ROWCAST_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One FastCGI request at a time, over a Unix socket; nothing waits.
 *   socket, pid  whom to ask, and his process; set by the caller, as fd -1
 */
struct exchange {
	const char *socket;
	const char *pid;
	int fd; /* -1: not open */
	int64_t again_ms;
	char *out;
	size_t out_len, out_at;
	char record[65536 + 256 + 8];
	size_t record_len;
	char head[4096];
	size_t head_len;
	bool has_head;
	int status;
	bool is_over; /* END_REQUEST, or the connection is gone */
	bool is_whole;
	unsigned tries;
};

/*
 * What is to be asked next: names and values in turn, NULL at their end, and a
 * body.  All is copied; exchange_go_on() sends it.
 */
void exchange_ask(struct exchange *x, const char *const *vars, const char *body,
    size_t len);

/*
 * Connect, send and take what can be; body is called for what comes of it.
 * is_over says that nothing more comes, is_whole that the response had an end.
 * Ends the process, with status 3, if nobody listens and the other one is gone.
 */
typedef void exchange_body_fn(void *cookie, const char *bytes, size_t len);
void exchange_go_on(struct exchange *x, exchange_body_fn *body, void *cookie);

/* Leave; the next request is on a new connection, a little later. */
void exchange_hang_up(struct exchange *x);

int64_t exchange_now_ms(void);

#endif
