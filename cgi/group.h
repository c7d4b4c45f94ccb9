#ifndef ROWCAST_GROUP_H
#define ROWCAST_GROUP_H

#include <stdint.h>

#include <uv.h>

#include "lib/loop/fine_timer.h"
#include "commit.h"
#include "publish.h"

/*
 * Group commit: the requests that wait to be appended, and when it happens.
 */

/* One request in PUBLISH_APPENDING.  The owner sets user and publish. */
struct group_member {
	void *user;
	struct publish *publish;
	/* private */
	int64_t since_ms;
	struct group_member *prev, *next;
};

enum group_state {
	GROUP_GATHERING, /* not looked at since the last commit */
	GROUP_HOLDING,   /* waits a moment for the expected requests */
	GROUP_DUE,       /* to be committed after this round of reading */
	GROUP_LOCKED,    /* another program is writing: waits to try again */
};

/*
 *   groups    transactions
 *   appended  requests, or pieces of streamed ones, that left a group
 *   locked    tries that found another program writing
 */
struct group_counters {
	uint64_t groups;
	uint64_t appended;
	uint64_t locked;
};

/*
 * The group.  Only group.c writes it; the struct is visible because its handles
 * must outlive it until the loop has closed them.
 */
struct group {
	uv_loop_t *loop;
	struct commit *commit;
	int64_t busy_ms;
	void (*done)(void *user);
	struct group_member *members;
	size_t n;
	size_t expected_size; /* of the next group */
	enum group_state state;
	uint64_t commit_ns;      /* duration of the last commit */
	uv_check_t check;        /* after each round of reading */
	uv_idle_t more;          /* do not sleep before the next check */
	uv_timer_t again;        /* while GROUP_LOCKED */
	struct fine_timer *hold; /* while GROUP_HOLDING */
	struct group_counters counters;
};

/*
 *   busy_ms  how long a member waits for other programs that are writing
 *   done     a member's request has left PUBLISH_APPENDING: call group_leave();
 *            the member may be freed then.  Called from the loop and from
 *            group_give_up() only
 *   returns  0; -1 if out of memory or descriptors
 *   owns     end with group_close(), also after -1.  Borrows loop and commit
 */
int group_open(struct group *g, uv_loop_t *loop, struct commit *commit,
    int64_t busy_ms, void (*done)(void *user));

/* Close the handles; the struct must stay until the loop has closed them.
   Does nothing if g is all zero. */
void group_close(struct group *g);

void group_join(struct group *g, struct group_member *m);
void group_leave(struct group *g, struct group_member *m);

/* Refuse all members now instead of waiting for other programs. */
void group_give_up(struct group *g);

#endif
