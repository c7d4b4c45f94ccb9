#ifndef ROWCAST_SANDBOX_TRIAL_H
#define ROWCAST_SANDBOX_TRIAL_H

#include <stdint.h>

/*
 * Make the calls that serving needs: on a socket pair, and on a file in the
 * log's folder that is removed again.  Call it before and after sandbox_enter()
 * to find out whether the sandbox refuses a call that the system allows.
 *   log      its path
 *   returns  the calls that were refused (ENOSYS, EPERM, EACCES), one bit each;
 *            other errors, such as a full disk, do not count
 */
uint32_t trial_refused(const char *log);

/* Returns the name of the first of these calls.  refused is not 0. */
const char *trial_name(uint32_t refused);

#endif
