/*
 * Gives up what a program that serves does not need: files, then calls.
 */
#include "sandbox.h"

#include <time.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "private.h"
#include "lib/warn.h"

/* Landlock and seccomp require it of unprivileged processes. */
static void
gain_nothing_by_exec(void)
{
#if defined(__linux__)
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* since Linux 3.5 */
#endif
}

int
sandbox_prepare(const struct sandbox *s)
{
	bool ignored; /* sandbox_enter() notes what is in force */

	if (s->is_off)
		return 0;
	gain_nothing_by_exec();
	return sandbox_calls_confine(NULL, &ignored);
}

int
sandbox_enter(struct sandbox *s, const struct sandbox_options *o)
{
	if (s->is_off)
		return 0;
	tzset(); /* reads a file that syslog() needs later */
	gain_nothing_by_exec();
	if (sandbox_files_confine(o, &s->files) != 0)
		return -1;
	return sandbox_calls_confine(o, &s->calls);
}

void
sandbox_report(const struct sandbox *s)
{
	if (s->is_off)
		warn_line("sandbox: off");
	else
		warn_line("sandbox: %s=%d %s=%d", sandbox_files_by, s->files,
		    sandbox_calls_by, s->calls);
}
