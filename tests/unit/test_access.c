/*
 * access: who may publish.  The rows are rules, the request, the status.
 */
#include "tap.h"

#include "cgi/access.h"

static const struct {
	const char *name;
	const char *token;
	const char *remote_user;
	const char *authorization;
	int status; /* 0 if it is let in */
	bool is_open;
	const char *auth_type;
} rows[] = {
	{ "nothing set, nobody known", NULL, NULL, NULL, 403, false, NULL },
	{ "an empty user is nobody", NULL, "", NULL, 403, false, NULL },
	{ "a Bearer token where none is set", NULL, NULL, "Bearer x", 403,
	    false, NULL },
	{ "an empty token is none", "", NULL, "Bearer ", 403, false, NULL },
	{ "an empty token is none, without a header", "", NULL, NULL, 403,
	    false, NULL },
	{ "a user of the web server", NULL, "anna", NULL, 0, false, NULL },
	{ "a user of the web server beside a token", "s3cret", "anna",
	    "Basic YW5uYTp4", 0, false, "Basic" },
	{ "a name that nobody verified", NULL, "anna", "Basic YW5uYTp4", 403,
	    false, NULL },
	{ "a name that nobody verified, beside a token", "s3cret", "anna",
	    "basic YW5uYTp4", 401, false, NULL },
	{ "open", NULL, NULL, NULL, 0, true, NULL },
	{ "open, with a wrong token", "s3cret", NULL, "Bearer x", 0, true,
	    NULL },
	{ "the token", "s3cret", NULL, "Bearer s3cret", 0, false, NULL },
	{ "the token, scheme in small letters", "s3cret", NULL, "bearer s3cret",
	    0, false, NULL },
	{ "the token after more spaces", "s3cret", NULL, "Bearer   s3cret", 0,
	    false, NULL },
	{ "no header", "s3cret", NULL, NULL, 401, false, NULL },
	{ "an empty header", "s3cret", NULL, "", 401, false, NULL },
	{ "the scheme alone", "s3cret", NULL, "Bearer", 401, false, NULL },
	{ "the scheme and a space", "s3cret", NULL, "Bearer ", 401, false,
	    NULL },
	{ "another scheme", "s3cret", NULL, "Basic s3cret", 401, false, NULL },
	{ "no scheme", "s3cret", NULL, "s3cret", 401, false, NULL },
	{ "the beginning of the token", "s3cret", NULL, "Bearer s3cre", 401,
	    false, NULL },
	{ "more than the token", "s3cret", NULL, "Bearer s3crets", 401, false,
	    NULL },
	{ "the token twice", "s3cret", NULL, "Bearer s3crets3cret", 401, false,
	    NULL },
	{ "the token in other letters", "s3cret", NULL, "Bearer S3cret", 401,
	    false, NULL },
	{ "wrong in the first byte", "s3cret", NULL, "Bearer x3cret", 401,
	    false, NULL },
	{ "wrong in the last byte", "s3cret", NULL, "Bearer s3crex", 401, false,
	    NULL },
	{ "a space after the token", "s3cret", NULL, "Bearer s3cret ", 401,
	    false, NULL },
};

#define CHALLENGE "WWW-Authenticate: Bearer realm=\"rowcast\""

static bool
says(int status, const struct problem *p)
{
	bool is_wrong = strstr(p->detail, "The token is wrong") != NULL;
	const char *header =
	    is_wrong ? CHALLENGE ", error=\"invalid_token\"" : CHALLENGE;

	if (p->status != status ||
	    strstr(p->detail, "ROWCAST_PUBLISH_TOKEN") == NULL ||
	    strstr(p->detail, "s3cret") != NULL)
		return false;
	if (status != 401)
		return p->header == NULL;
	return p->header != NULL && strcmp(p->header, header) == 0 &&
	    strstr(p->detail, "/etc/default/rowcast-publish") != NULL &&
	    strstr(p->detail, "build/run/token.") != NULL;
}

/* The variables of a row, of which each may be missing. */
static void
set_vars(size_t row, const char *vars[4])
{
	static char texts[3][64];
	const char *const names[] = { "REMOTE_USER", "AUTH_TYPE",
		"HTTP_AUTHORIZATION" };
	const char *const values[] = { rows[row].remote_user,
		rows[row].auth_type, rows[row].authorization };
	size_t n = 0;

	for (size_t i = 0; i < 3; i++) {
		if (values[i] == NULL)
			continue;
		(void)snprintf(texts[n], sizeof(texts[n]), "%s=%s", names[i],
		    values[i]);
		vars[n] = texts[n];
		n++;
	}
	vars[n] = NULL;
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct publisher_config config = {
			.token = rows[i].token,
			.is_open = rows[i].is_open,
		};
		const char *vars[4];
		struct problem p = { .status = 0 };
		int result;

		set_vars(i, vars);
		result = access_check(&config, vars, &p);

		if (rows[i].status == 0)
			check(result == 0, "let in: %s", rows[i].name);
		else
			check(result == -1 && says(rows[i].status, &p),
			    "%d: %s", rows[i].status, rows[i].name);
	}
	return tap_end();
}
