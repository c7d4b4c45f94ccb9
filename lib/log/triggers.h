#ifndef ROWCAST_LOG_TRIGGERS_H
#define ROWCAST_LOG_TRIGGERS_H

#include "finding.h"

/*
 * Insert an event and undo it: the triggers of the file may refuse it or run
 * without end.  Then report which of the expected tables are published.
 */
void triggers_check(const struct check *c);

#endif
