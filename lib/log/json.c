/*
 * JSON, read by SQLite's own functions in a connection without a file.
 *
 * What SQLite 3.40 would let through or spoil is refused before it sees the
 * text: bytes that are not UTF-8, a NUL (it ends the text, and an escaped one
 * ends the string), and lone surrogates (they become bytes that are not
 * UTF-8).  Elements are walked by json_each(), never asked for by '$[i]', which
 * would read the array again for each.
 */
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"
#include "lib/utf8.h"

struct log_json {
	sqlite3 *db;
	sqlite3_stmt *type;
	sqlite3_stmt *elements;
	sqlite3_stmt *members;
};

/* One text that is being read. */
struct reader {
	struct log_json *j;
	log_member_fn *member;
	void *cookie;
	char *why;
};

/* An error if it is not JSON; json_valid() says no for want of memory, too. */
static const char type_text[] = "SELECT json_type(?1)";

static const char elements_text[] = "SELECT type, value FROM json_each(?1)";

/*
 * json_each.value turns 1.10 into 1.1 and a long integer into a float, where
 * "->" gives the number as it was sent.  fullkey is no path that "->" can read
 * if the name holds an escaped quote: such a number comes as SQLite sees it.
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

static enum log_result
fail(struct reader *r, int rc)
{
	(void)snprintf(r->why, LOG_WHY_MAX, "%s", sqlite3_errmsg(r->j->db));
	return (rc & 0xff) == SQLITE_NOMEM ? LOG_NO_MEMORY : LOG_BROKEN;
}

/* The value of a \u escape whose 'u' stands at at; -1 if it is not one. */
static int
escape_at(struct text t, size_t at)
{
	int value = 0;

	if (at >= t.len || t.len - at < 5 || t.bytes[at] != 'u')
		return -1;
	for (size_t i = at + 1; i < at + 5; i++) {
		char c = t.bytes[i];

		value *= 16;
		if (c >= '0' && c <= '9')
			value += c - '0';
		else if (c >= 'a' && c <= 'f')
			value += c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			value += c - 'A' + 10;
		else
			return -1;
	}
	return value;
}

static bool
is_low_surrogate(int value)
{
	return value >= 0xdc00 && value <= 0xdfff;
}

/* Outside of strings a backslash is no JSON, so every one is an escape. */
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

/* A column as text; bytes NULL only if memory is short. */
static struct text
column(sqlite3_stmt *s, int index)
{
	struct text t;

	t.bytes = (const char *)sqlite3_column_text(s, index);
	t.len = t.bytes != NULL ? (size_t)sqlite3_column_bytes(s, index) : 0;
	return t;
}

static int
bind(sqlite3_stmt *s, struct text json)
{
	return sqlite3_bind_text64(s, 1, json.bytes, json.len, SQLITE_STATIC,
	    SQLITE_UTF8);
}

static enum log_result
each_member(struct reader *r, size_t index, struct text object)
{
	static const struct text none = { NULL, 0 };
	enum log_result result = LOG_OK;
	sqlite3_stmt *s = r->j->members;
	int rc;

	if (!r->member(r->cookie, index, none, none, "object"))
		return LOG_REFUSED;
	rc = bind(s, object);
	if (rc != SQLITE_OK)
		return fail(r, rc);
	while (result == LOG_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct text name = column(s, 0);
		struct text type = column(s, 1);
		struct text value = column(s, 2);

		if (name.bytes == NULL || type.bytes == NULL ||
		    value.bytes == NULL)
			result = fail(r, SQLITE_NOMEM);
		else if (!r->member(r->cookie, index, name, value, type.bytes))
			result = LOG_REFUSED;
	}
	if (result == LOG_OK && rc != SQLITE_DONE)
		result = fail(r, rc);
	(void)sqlite3_reset(s);          /* repeats the error that step gave */
	(void)sqlite3_clear_bindings(s); /* always SQLITE_OK */
	return result;
}

static enum log_result
each_element(struct reader *r)
{
	enum log_result result = LOG_OK;
	sqlite3_stmt *s = r->j->elements;
	size_t index = 0;
	int rc = SQLITE_OK;

	while (result == LOG_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct text type = column(s, 0);
		struct text object;

		if (type.bytes == NULL)
			return fail(r, SQLITE_NOMEM);
		if (strcmp(type.bytes, "object") != 0) {
			(void)snprintf(r->why, LOG_WHY_MAX,
			    "index %zu of the array is no object", index);
			return LOG_REFUSED;
		}
		object = column(s, 1);
		if (object.bytes == NULL)
			return fail(r, SQLITE_NOMEM);
		result = each_member(r, index++, object);
	}
	if (result == LOG_OK && rc != SQLITE_DONE)
		result = fail(r, rc);
	return result;
}

/* Type is that of the whole text, empty if it is not JSON. */
static enum log_result
find_type(struct reader *r, struct text json, char type[static 8])
{
	enum log_result result = LOG_OK;
	sqlite3_stmt *s = r->j->type;
	const char *found;
	int rc;

	rc = bind(s, json);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		found = (const char *)sqlite3_column_text(s, 0);
		if (found != NULL)
			(void)snprintf(type, 8, "%s", found);
		else
			result = fail(r, SQLITE_NOMEM);
	} else if (rc != SQLITE_ERROR) {
		result = fail(r, rc);
	}
	(void)sqlite3_reset(s);          /* repeats the error that step gave */
	(void)sqlite3_clear_bindings(s); /* always SQLITE_OK */
	return result;
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
	if (*is_array) {
		if (bind(r->j->elements, json) != SQLITE_OK)
			return fail(r, SQLITE_NOMEM);
		result = each_element(r);
		/* repeats the error that step gave */
		(void)sqlite3_reset(r->j->elements);
		(void)sqlite3_clear_bindings(r->j->elements); /* SQLITE_OK */
		return result;
	}
	if (strcmp(type, "object") != 0)
		return refuse(r->why,
		    "it is neither an object nor an array of objects");
	return each_member(r, 0, json);
}

struct log_json *
log_json_new(void)
{
	struct log_json *j = calloc(1, sizeof(*j));
	int rc;

	if (j == NULL)
		return NULL;
	rc = sqlite3_open(":memory:", &j->db);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(j->db, type_text, -1, &j->type, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(j->db, elements_text, -1, &j->elements,
		    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(j->db, members_text, -1, &j->members,
		    NULL);
	if (rc == SQLITE_OK)
		return j;
	log_json_free(j);
	return NULL;
}

void
log_json_free(struct log_json *j)
{
	if (j == NULL)
		return;
	(void)sqlite3_finalize(j->type); /* repeat what step said */
	(void)sqlite3_finalize(j->elements);
	(void)sqlite3_finalize(j->members);
	(void)sqlite3_close(j->db); /* nothing is left open in it */
	free(j);
}

enum log_result
log_read_json(struct log_json *j, struct text json, bool *is_array,
    log_member_fn *member, void *cookie, char why[LOG_WHY_MAX])
{
	struct reader r = {
		.j = j,
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
