/*
 * gate: which pages may publish.  Each origin meets each value of
 * Sec-Fetch-Site in each set-up.
 */
#include "tap.h"

#include "cgi/gate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* How the publisher was set up, and what the request has. */
static const struct {
	const char *name;
	const char *origins; /* that are listed */
	const char *var;
	bool is_open;
} setups[] = {
	{ "token", "", "HTTP_AUTHORIZATION=Bearer s3cret", false },
	{ "user", "", "REMOTE_USER=me", false },
	{ "open", "", NULL, true },
	{ "token, listed", "https://app.example",
	    "HTTP_AUTHORIZATION=Bearer s3cret", false },
	{ "user, listed", "https://app.example", "REMOTE_USER=me", false },
	{ "open, listed", "https://app.example", NULL, true },
	{ "token, *", "*", "HTTP_AUTHORIZATION=Bearer s3cret", false },
	{ "open, *", "*", NULL, true },
	{ "user, *", "*", "REMOTE_USER=me", false },
};

static const char *const sites[] = { NULL, "", "same-origin", "none",
	"same-site", "cross-site", "Same-Origin", "same-origin, none",
	"from-tomorrow" };

/* In the order of sites[]: which pages may publish. */
enum who {
	ALL,    /* in each set-up */
	LISTED, /* if https://app.example is listed, or "*" without a user */
	ANY,    /* "*" without a user */
};

#define OWN                                                 \
	{                                                   \
		ALL, ALL, ALL, ALL, ANY, ANY, ANY, ANY, ANY \
	}
#define APP                                                             \
	{                                                               \
		LISTED, LISTED, LISTED, LISTED, LISTED, LISTED, LISTED, \
		    LISTED, LISTED                                      \
	}
#define OTHER                                               \
	{                                                   \
		ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY \
	}

static const struct {
	const char *origin;
	const char *host;
	const char *https;
	enum who who[COUNT(sites)];
} rows[] = {
	{ NULL, "intranet", NULL, OWN },
	{ NULL, NULL, NULL, OWN },
	{ "", "intranet", NULL, OWN },
	{ "http://intranet", "intranet", NULL, OWN },
	{ "http://intranet", "intranet", "off", OWN },
	{ "http://Intranet", "INTRANET", NULL, OWN },
	{ "http://Intranet:8080", "intranet:8080", NULL, OWN },
	{ "http://intranet", "intranet:80", NULL, OWN },
	{ "http://intranet:80", "intranet", NULL, OWN },
	{ "http://intranet", "intranet:", NULL, OWN },
	{ "http://intranet:8080", "intranet:8080", NULL, OWN },
	{ "https://intranet", "intranet", NULL, OWN }, /* behind a proxy */
	{ "https://intranet", "intranet", "on", OWN },
	{ "https://intranet", "intranet:443", "on", OWN },
	{ "http://[::1]", "[::1]:80", NULL, OWN },
	{ "http://[::1]:8080", "[::1]:8080", NULL, OWN },
	{ "http://[FE80::A]", "[fe80::a]", NULL, OWN },
	{ "https://app.example", "intranet", NULL, APP },
	{ "https://app.example", NULL, NULL, APP },
	{ "https://app.example", "app.example", "on",
	    { ALL, ALL, ALL, ALL, LISTED, LISTED, LISTED, LISTED, LISTED } },
	{ "https://app.example:8443", "intranet", NULL, OTHER },
	{ "http://app.example", "intranet", NULL, OTHER },
	{ "http://intranet", NULL, NULL, OTHER },
	{ "http://intranet", "", NULL, OTHER },
	{ "http://intranet", "intranet", "on", OTHER },
	{ "http://intranet:8080", "intranet", NULL, OTHER },
	{ "http://intranet", "intranet:8080", NULL, OTHER },
	{ "http://intranet", "intranet:443", NULL, OTHER },
	{ "https://intranet", "intranet:80", NULL, OTHER },
	{ "http://[::1]:8080", "[::1]", NULL, OTHER },
	{ "http://[::1]", "[::2]", NULL, OTHER },
	{ "https://evil.example", "intranet", NULL, OTHER },
	{ "https://evil.example", NULL, NULL, OTHER },
	{ "http://evil.example", "intranet", NULL, OTHER },
	{ "http://intranet.evil.example", "intranet", NULL, OTHER },
	{ "http://evil-intranet", "intranet", NULL, OTHER },
	{ "http://a.intranet", "intranet", NULL, OTHER },
	{ "http://intranet", "intranet.", NULL, OTHER },
	{ "http://intranet/", "intranet", NULL, OTHER },
	{ "http://intranet, http://evil.example", "intranet", NULL, OTHER },
	{ "ftp://intranet", "intranet", NULL, OTHER },
	{ "file://", "", NULL, OTHER },
	{ "http://", "", NULL, OTHER },
	{ "://intranet", "intranet", NULL, OTHER },
	{ "intranet", "intranet", NULL, OTHER },
	{ "null", "intranet", NULL, OTHER },
	{ "null", "null", NULL, OTHER },
	{ "*", "intranet", NULL, OTHER },
};

static bool
is_in(enum who who, size_t setup)
{
	const char *origins = setups[setup].origins;
	const char *user = setups[setup].var;
	bool is_user = user != NULL && user[0] == 'R';

	if (who == ALL || (strcmp(origins, "*") == 0 && !is_user))
		return true;
	return who == LISTED && strstr(origins, "app.example") != NULL;
}

/* Sets the variables of a request; each may be missing. */
static void
set_vars(size_t row, size_t site, size_t setup, const char *vars[8])
{
	static char texts[4][80];
	const char *const names[] = { "HTTP_ORIGIN", "HTTP_HOST", "HTTPS",
		"HTTP_SEC_FETCH_SITE" };
	const char *const values[] = { rows[row].origin, rows[row].host,
		rows[row].https, sites[site] };
	size_t n = 0;

	vars[n++] = "REQUEST_METHOD=POST";
	if (setups[setup].var != NULL)
		vars[n++] = setups[setup].var;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (values[i] == NULL)
			continue;
		(void)snprintf(texts[i], sizeof(texts[i]), "%s=%s", names[i],
		    values[i]);
		vars[n++] = texts[i];
	}
	vars[n] = NULL;
}

/* Does the refusal say what to do? */
static bool
says(const struct problem *p, const char *origin)
{
	bool is_null = origin != NULL && strcmp(origin, "null") == 0;

	return p->status == 403 &&
	    strstr(p->detail,
		is_null ? "Origin: null" : "ROWCAST_CORS_ORIGINS") != NULL;
}

static void
check_row(size_t row, size_t setup)
{
	struct publisher_config config = { .token = "s3cret",
		.is_open = setups[setup].is_open };
	const char *origin = rows[row].origin;
	const char *vars[8], *type = NULL;
	char why[OPTIONS_WHY_MAX];

	(void)cors_add(&config.cors, setups[setup].origins, why);
	for (size_t site = 0; site < COUNT(sites); site++) {
		struct problem p = { .status = 0 };
		bool is_wanted = is_in(rows[row].who[site], setup);
		int result;

		set_vars(row, site, setup, vars);
		result = gate_check(&config, vars, &type, &p);
		check(is_wanted ? result == 0 :
				  result == -1 && says(&p, origin),
		    "%s: %s from '%s' to '%s', Sec-Fetch-Site: %s",
		    setups[setup].name, is_wanted ? "publishes" : "refused",
		    origin != NULL ? origin : "(none)",
		    rows[row].host != NULL ? rows[row].host : "(none)",
		    sites[site] != NULL ? sites[site] : "(none)");
	}
}

static void
check_encodings(void)
{
	static const struct {
		const char *var;
		int status;
	} encodings[] = {
		{ "HTTP_CONTENT_ENCODING=", 0 },
		{ "HTTP_CONTENT_ENCODING=identity", 0 },
		{ "HTTP_CONTENT_ENCODING=Identity", 0 },
		{ "HTTP_CONTENT_ENCODING=gzip", 415 },
		{ "HTTP_CONTENT_ENCODING=br", 415 },
		{ "HTTP_CONTENT_ENCODING=identity, gzip", 415 },
	};
	const struct publisher_config config = { .is_open = true };

	for (size_t i = 0; i < COUNT(encodings); i++) {
		const char *const vars[] = { "REQUEST_METHOD=POST",
			encodings[i].var, NULL };
		const char *type = NULL;
		struct problem p = { .status = 0 };

		(void)gate_check(&config, vars, &type, &p);
		check(p.status == encodings[i].status &&
			(p.status == 0 ||
			    strstr(p.detail, "Content-Encoding") != NULL),
		    "%d: %s", encodings[i].status, encodings[i].var);
	}
}

int
main(void)
{
	for (size_t row = 0; row < COUNT(rows); row++)
		for (size_t setup = 0; setup < COUNT(setups); setup++)
			check_row(row, setup);
	check_encodings();
	return tap_end();
}
