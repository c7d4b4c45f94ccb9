/*
 * What stands behind an option: shapes are compared before anything is
 * converted, as strtoll() takes signs and white space that nobody meant.
 */
#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPAN_MAX_S ((int64_t)100 * 366 * 86400)

/* The number at the front of s; *end is what follows it. */
static int
read_digits(const char *s, const char **end, int64_t *out)
{
	char *stop;
	long long n;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	n = strtoll(s, &stop, 10);
	if (errno != 0)
		return -1;
	*end = stop;
	*out = n;
	return 0;
}

int
value_number(const char *s, int64_t min, int64_t max, int64_t *out)
{
	const char *end;
	int64_t n;

	if (read_digits(s, &end, &n) != 0 || *end != '\0' || n < min || n > max)
		return -1;
	*out = n;
	return 0;
}

int
value_span(const char *s, int64_t *ms)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = { 1, 60, 3600, 86400, 604800 };
	const char *end, *unit;
	int64_t n;

	if (read_digits(s, &end, &n) != 0 || end[0] == '\0' || end[1] != '\0')
		return -1;
	unit = strchr(units, end[0]);
	if (unit == NULL || n < 1 || n > SPAN_MAX_S / seconds[unit - units])
		return -1;
	*ms = n * seconds[unit - units] * 1000;
	return 0;
}
