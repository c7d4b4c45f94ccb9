/*
 * JSON, read by SQLite's own functions in a connection without a file.
 *
 * Input that SQLite 3.40 accepts by mistake is refused first: bytes that are
 * not UTF-8, a NUL (it ends the text; an escaped one ends the string), and lone
 * surrogates (they become bytes that are not UTF-8).  Elements come from
 * json_each(): '$[i]' would parse the array again for each.
 */
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"
#include "lib/utf8.h"

/* The reading of one text. */
struct reader {
	struct log *log;
	log_member_fn *member;
	void *cookie;
	char *why;
};

/* json_type() fails if the text is not JSON, but since SQLite 3.42 it accepts
   JSON5; json_valid() accepts JSON only, in all versions. */
static const char type_text[] = "SELECT json_type(?1), json_valid(?1)";

static const char elements_text[] = "SELECT type, value FROM json_each(?1)";

/*
 * json_each.value turns 1.10 into 1.1 and a long integer into a float; "->"
 * gives the number as it was sent.  If the name holds an escaped quote, "->"
 * cannot read fullkey, and the number comes as SQLite converts it.
 */
static const char members_text[] =
    "SELECT key, type, CASE"
    " WHEN type IN ('integer', 'real') AND instr(fullkey, '\\\"') = 0"
    " THEN ?1 -> fullkey"
    " WHEN type IN ('null', 'true', 'false') THEN type"
    " ELSE value END FROM json_each(?1)";

static enum log_result
refuse(char *why, const char *reason)
{
	(void)snprintf(why, LOG_WHY_MAX, "%s", reason);
	return LOG_REFUSED;
}

/* The value of a \u escape whose 'u' stands at at; -1 if it is not one. */
static int
escape_at(struct text t, size_t at)
{
	char digits[5] = "";

	if (at >= t.len || t.len - at < 5 || t.bytes[at] != 'u')
		return -1;
	memcpy(digits, t.bytes + at + 1, 4);
	return strspn(digits, "0123456789abcdefABCDEF") == 4 ?
	    (int)strtol(digits, NULL, 16) :
	    -1;
}

static bool
is_low_surrogate(int value)
{
	return value >= 0xdc00 && value <= 0xdfff;
}

/* Outside of strings JSON has no backslash, so every one begins an escape. */
static const char *
escape_fault(struct text t)
{
	size_t i = 0;

	while (i < t.len) {
		int value;

		if (t.bytes[i] != '\\') {
			i++;
			continue;
		}
		value = escape_at(t, i + 1);
		i += value < 0 ? 2 : 6;
		if (value == 0)
			return "it holds \\u0000, which the log cannot keep";
		if (is_low_surrogate(value))
			return "it holds a lone surrogate (\\udc00-\\udfff)";
		if (value < 0xd800 || value > 0xdbff)
			continue;
		if (i >= t.len || t.bytes[i] != '\\' ||
		    !is_low_surrogate(escape_at(t, i + 1)))
			return "it holds a lone surrogate (\\ud800-\\udbff)";
		i += 6;
	}
	return NULL;
}

static struct statement
begin(struct reader *r, const char *text, struct text json)
{
	struct statement s = statement_begin(r->log, text);

	statement_bind_text(&s, 1, json);
	return s;
}

/* End a statement, and with it the reading if it failed. */
static enum log_result
end(struct reader *r, struct statement *s, enum log_result result)
{
	enum log_result ended = statement_end(s);

	if (ended == LOG_OK)
		return result;
	(void)snprintf(r->why, LOG_WHY_MAX, "%s", log_why(r->log));
	return ended;
}

static enum log_result
each_member(struct reader *r, size_t index, struct text object)
{
	static const struct text none = { NULL, 0 };
	enum log_result result = LOG_OK;
	struct statement s;

	if (!r->member(r->cookie, index, none, none, "object"))
		return LOG_REFUSED;
	s = begin(r, members_text, object);
	while (result == LOG_OK && statement_step(&s)) {
		struct text name = statement_text(&s, 0);
		struct text type = statement_text(&s, 1);
		struct text value = statement_text(&s, 2);

		if (!statement_has_failed(&s) &&
		    !r->member(r->cookie, index, name, value, type.bytes))
			result = LOG_REFUSED;
	}
	return end(r, &s, result);
}

static enum log_result
each_element(struct reader *r, struct text json)
{
	struct statement s = begin(r, elements_text, json);
	enum log_result result = LOG_OK;
	size_t index = 0;

	while (result == LOG_OK && statement_step(&s)) {
		struct text type = statement_text(&s, 0);
		struct text object = statement_text(&s, 1);

		if (statement_has_failed(&s))
			break;
		if (text_is(type, "object")) {
			result = each_member(r, index++, object);
			continue;
		}
		(void)snprintf(r->why, LOG_WHY_MAX,
		    "index %zu of the array is not an object", index);
		result = LOG_REFUSED;
	}
	return end(r, &s, result);
}

/* Before SQLite 3.42, which reads JSON5, json_valid() is 0 for text that has a
   type only if memory is short. */
static bool
is_valid(struct statement *s)
{
	bool is_valid = statement_integer(s, 1) != 0;

	if (!is_valid && sqlite3_libversion_number() < 3042000)
		statement_fail(s, SQLITE_NOMEM);
	return is_valid;
}

/* Type is that of the whole text, empty if it is not JSON. */
static enum log_result
find_type(struct reader *r, struct text json, char type[static 8])
{
	struct statement s = begin(r, type_text, json);
	enum log_result result;
	bool is_malformed;

	if (statement_step(&s) && is_valid(&s)) {
		struct text found = statement_text(&s, 0);

		(void)snprintf(type, 8, "%.*s", (int)found.len,
		    found.len > 0 ? found.bytes : "");
	}
	is_malformed = s.rc == SQLITE_ERROR;
	result = end(r, &s, LOG_OK);
	return is_malformed ? LOG_OK : result;
}

static enum log_result
read_text(struct reader *r, struct text json, bool *is_array)
{
	enum log_result result;
	char type[8] = "";

	result = find_type(r, json, type);
	if (result != LOG_OK)
		return result;
	if (type[0] == '\0')
		return refuse(r->why,
		    "it is not well-formed, or nested too deeply");
	*is_array = strcmp(type, "array") == 0;
	if (*is_array)
		return each_element(r, json);
	if (strcmp(type, "object") != 0)
		return refuse(r->why,
		    "it is neither an object nor an array of objects");
	return each_member(r, 0, json);
}

enum log_result
log_read_json(struct log *j, struct text json, bool *is_array,
    log_member_fn *member, void *cookie, char why[LOG_WHY_MAX])
{
	struct reader r = {
		.log = j,
		.member = member,
		.cookie = cookie,
		.why = why,
	};
	const char *fault;

	*is_array = false;
	if (json.len == 0)
		return refuse(why, "it is empty");
	if (!utf8_is_valid(json))
		return refuse(why, "it is not UTF-8");
	if (memchr(json.bytes, '\0', json.len) != NULL)
		return refuse(why, "it holds a NUL byte");
	fault = escape_fault(json);
	if (fault != NULL)
		return refuse(why, fault);
	return read_text(&r, json, is_array);
}
