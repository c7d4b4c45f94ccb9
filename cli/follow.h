#ifndef ROWCAST_FOLLOW_H
#define ROWCAST_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Call look() whenever a log may have grown, until it sets *is_over.
 *   look     returns whether there was news
 *   silent   is called after each silent_ms without news; may be NULL
 *   returns  0 once look() has ended it; -1 after a warning if it could not
 *            begin
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
