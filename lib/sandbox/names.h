#ifndef ROWCAST_SANDBOX_NAMES_H
#define ROWCAST_SANDBOX_NAMES_H

/* System calls, each list up to a NULL: allowed with any arguments; never
   needed, not even to start; needed only to start. */
extern const char *const names_allowed[];
extern const char *const names_never[];
extern const char *const names_no_longer[];

#endif
