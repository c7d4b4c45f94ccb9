#ifndef ROWCAST_VALUE_H
#define ROWCAST_VALUE_H

#include "options.h"

/* Set why to the mistake in a value, which is printed behind the name of the
   option and a colon.  Returns OPTIONS_BAD. */
enum options_result value_refuse(char why[OPTIONS_WHY_MAX], const char *format,
    ...) __attribute__((format(printf, 2, 3)));

/*
 * Convert a value to the type of an option's field, and store it there.
 *   returns  OPTIONS_OK; OPTIONS_BAD with why set
 *   owns     a field of text borrows value
 */
enum options_result value_set(const struct option *o, void *field,
    const char *value, char why[OPTIONS_WHY_MAX]);

#endif
