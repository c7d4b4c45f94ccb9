/*
 * start_parse() over any text: what it takes, and as what, is compared with a
 * reader that goes by RFC 3339's grammar digit by digit and does the calendar
 * itself; what it refuses must not have been touched.
 *
 * Covers: lib/start.c
 */
#include "fuzz.h"

#include "lib/start.h"

/* What is left to read. */
struct rest {
	const char *p, *end;
};

static bool
take(struct rest *r, const char *any_of)
{
	if (r->p == r->end || *r->p == '\0' || strchr(any_of, *r->p) == NULL)
		return false;
	r->p++;
	return true;
}

/* Exactly n digits, at most max. */
static bool
take_digits(struct rest *r, int n, int max, int *value)
{
	*value = 0;
	while (n-- > 0) {
		if (r->p == r->end || *r->p < '0' || *r->p > '9')
			return false;
		*value = *value * 10 + (*r->p++ - '0');
	}
	return *value <= max;
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Since 1970; counted, which is slow and sure. */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t days = day - 1;

	for (int y = year; y < 1970; y++)
		days -= is_leap(y) ? 366 : 365;
	for (int y = 1970; y < year; y++)
		days += is_leap(y) ? 366 : 365;
	for (int m = 1; m < month; m++)
		days += days_of(year, m);
	return days;
}

static bool
take_date(struct rest *r, int64_t *days)
{
	int year, month, day;

	if (!take_digits(r, 4, 9999, &year) || !take(r, "-") ||
	    !take_digits(r, 2, 12, &month) || !take(r, "-") || month < 1 ||
	    !take_digits(r, 2, days_of(year, month), &day) || day < 1)
		return false;
	*days = days_since_1970(year, month, day);
	return true;
}

/* secfrac: any digits behind a point, of which three count. */
static bool
take_fraction(struct rest *r, int64_t *ms)
{
	int64_t unit = 100;

	*ms = 0;
	if (!take(r, "."))
		return true;
	if (r->p == r->end || *r->p < '0' || *r->p > '9')
		return false;
	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		*ms += unit * (*r->p - '0');
		unit /= 10;
	}
	return true;
}

static bool
take_offset(struct rest *r, int64_t *seconds)
{
	int hours, minutes;
	bool is_west = r->p < r->end && *r->p == '-';

	*seconds = 0;
	if (take(r, "Zz"))
		return r->p == r->end;
	if (!take(r, "+- ") || !take_digits(r, 2, 23, &hours) ||
	    !take(r, ":") || !take_digits(r, 2, 59, &minutes))
		return false;
	*seconds = (int64_t)(hours * 60 + minutes) * (is_west ? -60 : 60);
	return r->p == r->end;
}

static bool
read_time(struct rest r, int64_t *value)
{
	int64_t days, ms, offset, seconds;
	int hour, minute, second;

	if (!take_date(&r, &days) || !take(&r, "Tt ") ||
	    !take_digits(&r, 2, 23, &hour) || !take(&r, ":") ||
	    !take_digits(&r, 2, 59, &minute) || !take(&r, ":") ||
	    !take_digits(&r, 2, 60, &second) || !take_fraction(&r, &ms) ||
	    !take_offset(&r, &offset))
		return false;
	seconds =
	    days * 86400 + hour * 3600 + (int64_t)minute * 60 + second - offset;
	if (second == 60 && seconds % 86400 != 0)
		return false;
	*value = seconds < 0 ? 0 : seconds * 1000 + ms;
	return true;
}

static bool
read_number(struct rest r, int64_t min, int64_t *value)
{
	*value = 0;
	if (r.p == r.end)
		return false;
	for (; r.p < r.end; r.p++) {
		int digit = *r.p - '0';

		if (digit < 0 || digit > 9 || *value > (INT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return *value >= min;
}

static int
read_start(struct text t, enum start *start, int64_t *value)
{
	struct rest r = { t.bytes, t.bytes + t.len };

	*value = 0;
	if (t.len > 63)
		return -1;
	*start = START_EARLIEST;
	if (text_equal(t, (struct text){ "earliest", 8 }))
		return 0;
	*start = START_AFTER;
	if (read_number(r, 0, value))
		return 0;
	*start = START_LAST;
	if (t.len > 5 && memcmp(t.bytes, "last:", 5) == 0)
		return read_number((struct rest){ r.p + 5, r.end }, 1, value) ?
		    0 :
		    -1;
	*start = START_SINCE;
	return read_time(r, value) ? 0 : -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum start start = (enum start)99, expected_start;
	int64_t value = -99, expected_value;
	char *copy = fuzz_copy(data, size);
	struct text t = { copy, size };
	int result = start_parse(t, &start, &value);

	require(result == read_start(t, &expected_start, &expected_value));
	if (result == 0)
		require(start == expected_start && value == expected_value);
	else
		require((int)start == 99 && value == -99);
	free(copy);
	return 0;
}
