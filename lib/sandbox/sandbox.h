#ifndef ROWCAST_SANDBOX_H
#define ROWCAST_SANDBOX_H

#include <stdbool.h>

/*
 * What a program that serves gives up for good, so that whoever takes it over
 * gets little: it may read and write the log's folder and answer on the
 * sockets that it has, and nothing else.  On Linux by Landlock and seccomp, on
 * OpenBSD by unveil and pledge, as far as the kernel has them: what it has not
 * is left open without a word.  A call that is refused fails; none ends the
 * process.
 */
struct sandbox {
	bool is_off; /* the operator wants none; all below does nothing */
	int files;   /* only the log's folder: Landlock's version, or 1 */
	bool calls;  /* only those that it makes */
};

/*
 *   log          its path; the folder must be there.  One that takes its place
 *                later is none of ours
 *   socket       path of a socket that is removed at the end; NULL: none
 *   uses_syslog  may connect to local sockets, to write to /dev/log
 */
struct sandbox_options {
	const char *log;
	const char *socket;
	bool uses_syslog;
};

/*
 * Before a loop is made: nothing is gained by exec any more, and there is no
 * io_uring, whose calls no filter sees.
 *   returns  0; -1 if out of memory: then the program is not to start
 */
int sandbox_prepare(const struct sandbox *s);

/*
 * At the end of the start, with one thread: the log may be open or not, the
 * socket has to be.
 *   returns  as above
 */
int sandbox_enter(struct sandbox *s, const struct sandbox_options *o);

/* Say in one line what is in force. */
void sandbox_report(const struct sandbox *s);

#endif
