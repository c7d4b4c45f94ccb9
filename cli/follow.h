#ifndef ROWCAST_FOLLOW_H
#define ROWCAST_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Look at a log again whenever it may have grown, until told to stop.
 *   look     returns whether there was news; sets *is_over to end it
 *   silent   is called after so long without news; NULL for never
 *   units    silent_ms
 *   returns  0 when look has ended it; -1 if it could not begin, reported
 */
struct follow {
	const char *path;
	bool (*look)(void *cookie, bool *is_over);
	void (*silent)(void *cookie);
	int64_t silent_ms;
	void *cookie;
};
int follow_run(const struct follow *f);

#endif
