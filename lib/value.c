/*
 * Values of options: text to the type of a field.
 *
 * A value is compared with the shape of its kind before it is converted, since
 * strtoll() accepts signs and white space.
 */
#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPAN_MAX_S ((int64_t)100 * 366 * 86400)

enum options_result
value_refuse(char why[OPTIONS_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(why, OPTIONS_WHY_MAX, format, args) < 0)
		why[0] = '\0';
	va_end(args);
	return OPTIONS_BAD;
}

/* Digits only, up to the end or to one unit of a time span. */
static int
read_digits(const char *value, int base, const char **end, int64_t *n)
{
	char *stop;

	if (!isdigit((unsigned char)value[0]))
		return -1;
	errno = 0;
	*n = strtoll(value, &stop, base);
	*end = stop;
	return errno == 0 ? 0 : -1;
}

static int
read_span(const char *value, int64_t *ms)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = { 1, 60, 3600, 86400, 604800 };
	const char *end, *unit;
	int64_t n;

	if (read_digits(value, 10, &end, &n) != 0 || end[0] == '\0' ||
	    end[1] != '\0' || (unit = strchr(units, end[0])) == NULL || n < 1 ||
	    n > SPAN_MAX_S / seconds[unit - units])
		return -1;
	*ms = n * seconds[unit - units] * 1000;
	return 0;
}

static void
store_number(void *field, size_t size, int64_t n)
{
	int32_t n32 = (int32_t)n;
	int16_t n16 = (int16_t)n;

	memcpy(field,
	    size == sizeof(n)       ? (const void *)&n :
		size == sizeof(n32) ? (const void *)&n32 :
				      &n16,
	    size);
}

static enum options_result
set_number(const struct option *o, void *field, const char *value, char *why)
{
	bool is_octal = o->kind == OPTION_KIND_OCTAL;
	int64_t n, max = o->max;
	const char *end;

	/* on 32-bit machines a field may hold less than the table allows */
	if (o->size <= sizeof(int32_t) && max > INT32_MAX / o->scale)
		max = INT32_MAX / o->scale;
	if (read_digits(value, is_octal ? 8 : 10, &end, &n) == 0 &&
	    *end == '\0' && n >= o->min && n <= max) {
		store_number(field, o->size, n * o->scale);
		return OPTIONS_OK;
	}
	if (max == INT64_MAX)
		return value_refuse(why,
		    "'%.60s' is not a whole number from %lld on", value,
		    (long long)o->min);
	return value_refuse(why,
	    is_octal ? "'%.60s' is not an octal number from %llo to %llo" :
		       "'%.60s' is not a whole number from %lld to %lld",
	    value, (long long)o->min, (long long)max);
}

static enum options_result
set_text(const struct option *o, void *field, const char *value, char *why)
{
	if (value[0] == '\0')
		return value_refuse(why, "'' is empty");
	for (const char *c = value; o->kind == OPTION_KIND_SECRET && *c != '\0';
	     c++)
		if (*c <= ' ' || *c > '~')
			return value_refuse(why,
			    "use printable ASCII without spaces");
	*(const char **)field = value;
	return OPTIONS_OK;
}

enum options_result
value_set(const struct option *o, void *field, const char *value,
    char why[OPTIONS_WHY_MAX])
{
	switch (o->kind) {
	case OPTION_KIND_TEXT:
	case OPTION_KIND_LOG:
	case OPTION_KIND_SECRET:
		return set_text(o, field, value, why);
	case OPTION_KIND_NUMBER:
	case OPTION_KIND_OCTAL:
		return set_number(o, field, value, why);
	case OPTION_KIND_SPAN:
		if (read_span(value, field) == 0)
			return OPTIONS_OK;
		return value_refuse(why,
		    "'%.60s' is not a time span: write 90s, 30m, 12h, 7d or 2w",
		    value);
	case OPTION_KIND_FLAG:
		*(bool *)field = value[0] == '1';
		if (strcmp(value, "1") == 0 || strcmp(value, "0") == 0)
			return OPTIONS_OK;
		return value_refuse(why, "'%.60s' is neither 0 nor 1", value);
	case OPTION_KIND_OTHER:
		break;
	}
	return o->read(field, value, why);
}
