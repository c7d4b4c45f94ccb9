/*
 * Starting points: row id, "earliest", "last:N", RFC 3339 time.
 * The shape is checked character by character first, because strtoll() accepts
 * signs and white space.  Then the C library converts the digits; strptime()
 * stops at a number that is too large, and timegm() checks the calendar.
 */
#include "start.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define START_MAX_BYTES 63 /* longer than any useful value */

#define DIGITS "0123456789"

/* Digits only, within [min, INT64_MAX]. */
static int
parse_number(const char *s, int64_t min, int64_t *n)
{
	char *end;
	long long value;

	if (*s == '\0' || s[strspn(s, DIGITS)] != '\0')
		return -1;
	errno = 0;
	value = strtoll(s, &end, 10);
	if (errno != 0 || *end != '\0' || value < min)
		return -1;
	*n = value;
	return 0;
}

/* Returns the characters that may stand at this character of a shape. */
static const char *
allowed(char shape)
{
	switch (shape) {
	case '0':
		return DIGITS;
	case 'T':
		return "Tt ";
	case '+':
		return "+- ";
	case '-':
		return "-";
	default:
		return ":";
	}
}

static bool
has_shape(const char *s, const char *shape)
{
	for (; *shape != '\0'; shape++, s++)
		if (*s == '\0' || strchr(allowed(*shape), *s) == NULL)
			return false;
	return true;
}

/* ".123456" → 123; moves *s past it.  Absent is 0. */
static int
parse_fraction(const char **s, int *ms)
{
	char digits[4] = "000";
	size_t len;

	*ms = 0;
	if (**s != '.')
		return 0;
	(*s)++;
	len = strspn(*s, DIGITS);
	if (len == 0)
		return -1;
	memcpy(digits, *s, len < 3 ? len : 3);
	*ms = (int)strtol(digits, NULL, 10);
	*s += len;
	return 0;
}

/* "Z" or "+hh:mm", and nothing after it. */
static int
parse_offset(const char *s, int *minutes)
{
	struct tm offset = { 0 };

	*minutes = 0;
	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return 0;
	if (!has_shape(s, "+00:00") || s[6] != '\0' ||
	    strptime(s + 1, "%H:%M", &offset) != s + 6)
		return -1;
	*minutes = offset.tm_hour * 60 + offset.tm_min;
	if (*s == '-')
		*minutes = -*minutes;
	return 0;
}

static bool
is_date(const struct tm *date)
{
	struct tm normal = *date;

	/* timegm() turns 30 February into some day of March. */
	(void)timegm(&normal);
	return normal.tm_mday == date->tm_mday &&
	    normal.tm_mon == date->tm_mon && normal.tm_year == date->tm_year;
}

static int
parse_time(const char *s, int64_t *since_ms)
{
	static const char shape[] = "0000-00-00T00:00:00";
	struct tm tm = { 0 };
	int ms, offset;
	int64_t seconds;
	bool is_leap;

	if (!has_shape(s, shape) || strptime(s, "%Y-%m-%d", &tm) != s + 10 ||
	    !is_date(&tm) || strptime(s + 11, "%H:%M:%S", &tm) != s + 19 ||
	    tm.tm_sec > 60)
		return -1;
	s += sizeof shape - 1;
	if (parse_fraction(&s, &ms) < 0 || parse_offset(s, &offset) < 0)
		return -1;
	tm.tm_min -= offset; /* timegm() carries */
	is_leap = tm.tm_sec == 60;
	seconds = timegm(&tm);
	/* A leap second ends a day of UTC; POSIX counts it as the next one. */
	if (is_leap && seconds % 86400 != 0)
		return -1;
	*since_ms = seconds < 0 ? 0 : seconds * 1000 + ms;
	return 0;
}

int
start_parse(struct text t, enum start *start, int64_t *value)
{
	static const char last[] = "last:";
	char s[START_MAX_BYTES + 1];

	if (t.len == 0 || t.len > START_MAX_BYTES ||
	    memchr(t.bytes, '\0', t.len) != NULL)
		return -1;
	memcpy(s, t.bytes, t.len);
	s[t.len] = '\0';

	if (parse_number(s, 0, value) == 0) {
		*start = START_AFTER;
	} else if (text_is(t, "earliest")) {
		*start = START_EARLIEST;
		*value = 0;
	} else if (text_begins(t, last)) {
		if (parse_number(s + sizeof last - 1, 1, value) < 0)
			return -1;
		*start = START_LAST;
	} else {
		if (parse_time(s, value) < 0)
			return -1;
		*start = START_SINCE;
	}
	return 0;
}
