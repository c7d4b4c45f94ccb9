#ifndef ROWCAST_SANDBOX_H
#define ROWCAST_SANDBOX_H

#include <stdbool.h>

/*
 * Confine a program that serves, so that an attacker who takes it over gains
 * little: it can read and write the log's folder and use the sockets that it
 * has, and nothing else.  On Linux by Landlock and seccomp, on OpenBSD by
 * unveil and pledge, as far as the kernel supports them; otherwise the process
 * stays unconfined, without a warning.  A refused call fails; none ends the
 * process.  Begins as 0, or with is_off: then the functions do nothing.
 */
struct sandbox {
	bool is_off;
	int files;  /* files are confined: Landlock's version, or 1 */
	bool calls; /* system calls are confined */
};

/*
 *   log          its path; its folder must exist.  A folder that replaces it
 *                later is not accessible.
 *   socket       path of a socket to be removed at the end; NULL: none
 *   uses_syslog  allow connections to local sockets, for /dev/log
 */
struct sandbox_options {
	const char *log;
	const char *socket;
	bool uses_syslog;
};

/*
 * Refuse to gain rights by exec, and io_uring, whose calls no filter sees.
 * Call it before a loop is made.
 *   returns  0; -1 if out of memory: do not start
 */
int sandbox_prepare(const struct sandbox *s);

/*
 * Confine the process.  Call it at the end of the start, with one thread and
 * after the socket was opened; the log need not be open.
 *   returns  as above
 */
int sandbox_enter(struct sandbox *s, const struct sandbox_options *o);

/* Report in one line what is in force. */
void sandbox_report(const struct sandbox *s);

#endif
