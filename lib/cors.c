/*
 * Cross-origin resource sharing.  Only an origin that equals a listed one is
 * written into a header, so nothing that a client has sent gets there.
 */
#include "cors.h"

#include <stdio.h>
#include <string.h>

#include "value.h"

#define CORS_ALLOW "Access-Control-Allow-Origin: "
#define CORS_CREDENTIALS "Access-Control-Allow-Credentials: true\r\n"
#define CORS_VARY "Vary: Origin\r\n"

_Static_assert(sizeof(CORS_ALLOW "\r\n" CORS_CREDENTIALS CORS_VARY) +
	    CORS_ORIGIN_LEN_MAX <=
	CORS_MAX,
    "room for the longest origin");

static bool
is_in(char c, const char *others)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c != '\0' && strchr(others, c) != NULL);
}

/* Browsers write origins in lower case, so upper case would never match. */
static bool
is_origin(struct text t)
{
	const char *colon = memmem(t.bytes, t.len, "://", 3);
	size_t scheme_len, i;

	if (t.len > CORS_ORIGIN_LEN_MAX || colon == NULL)
		return false;
	scheme_len = (size_t)(colon - t.bytes);
	for (i = 0; i < scheme_len; i++)
		if (!is_in(t.bytes[i], "+-."))
			return false;
	for (i = scheme_len + 3; i < t.len; i++)
		if (!is_in(t.bytes[i], "-._:[]"))
			return false;
	return scheme_len > 0 && t.len > scheme_len + 3;
}

static enum options_result
add(struct cors *c, struct text origin, char *why)
{
	if (text_is(origin, "*")) {
		c->is_any = true;
		return OPTIONS_OK;
	}
	if (!is_origin(origin))
		return value_refuse(why,
		    "'%.*s' is not an origin: write it like"
		    " https://www.example.org or https://www.example.org:8443,"
		    " in lower case and without a path, or * for all",
		    (int)(origin.len < 80 ? origin.len : 80), origin.bytes);
	if (c->n_origins == CORS_ORIGINS_MAX)
		return value_refuse(why, "more than %d origins",
		    CORS_ORIGINS_MAX);
	c->origins[c->n_origins++] = origin;
	return OPTIONS_OK;
}

enum options_result
cors_add(void *cors, const char *list, char *why)
{
	enum options_result result = OPTIONS_OK;
	struct text origin = { list, 0 };

	do {
		origin.bytes += strspn(origin.bytes, " ");
		origin.len = strcspn(origin.bytes, " ");
		if (origin.len > 0)
			result = add(cors, origin, why);
		origin.bytes += origin.len;
	} while (origin.len > 0 && result == OPTIONS_OK);
	return result;
}

bool
cors_is_listed(const struct cors *c, const char *origin)
{
	for (size_t i = 0; origin != NULL && i < c->n_origins; i++)
		if (text_is(c->origins[i], origin))
			return true;
	return false;
}

bool
cors_write(const struct cors *c, const char *origin, char out[CORS_MAX])
{
	bool is_listed = cors_is_listed(c, origin);
	bool is_allowed =
	    is_listed || (c->is_any && origin != NULL && origin[0] != '\0');

	out[0] = '\0';
	if (is_listed)
		(void)snprintf(out, CORS_MAX,
		    CORS_ALLOW "%s\r\n" CORS_CREDENTIALS CORS_VARY, origin);
	else if (c->n_origins > 0 || c->is_any)
		(void)snprintf(out, CORS_MAX, "%s",
		    is_allowed ? CORS_ALLOW "*\r\n" CORS_VARY : CORS_VARY);
	return is_allowed;
}
