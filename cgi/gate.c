/*
 * The checks that a publish request passes before its body is read.
 */
#include "gate.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "lib/form.h"
#include "lib/text.h"
#include "access.h"
#include "answer.h"

/* "curl -T -" sends a PUT request without a type: read its body as an event
   stream. */
static int
check_method(const char *method, const char **type, struct problem *p)
{
	if (strcmp(method, "POST") == 0)
		return 0;
	if (strcmp(method, "PUT") == 0) {
		if (*type == NULL || (*type)[0] == '\0')
			*type = "text/event-stream";
		return 0;
	}
	problem_set(p, 405,
	    "To publish, send a POST request (or PUT an event stream).");
	p->header = ANSWER_ALLOW;
	return -1;
}

/* Returns a variable that is set and not empty, or NULL. */
static const char *
var(const char *const *vars, const char *name)
{
	const char *value = form_var(vars, name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

struct authority {
	struct text host;
	struct text port;
};

/* Split "host" or "host:port"; the host may be an address in brackets. */
static struct authority
split(const char *text, const char *default_port)
{
	const char *bracket = strchr(text, ']');
	const char *colon = strchr(bracket != NULL ? bracket : text, ':');
	struct authority a = { text_of(text), text_of(default_port) };

	if (colon == NULL)
		return a;
	a.host.len = (size_t)(colon - text);
	if (colon[1] != '\0')
		a.port = text_of(colon + 1);
	return a;
}

/*
 * Returns whether an Origin header names the site that was requested.  A proxy
 * may have removed TLS, so an https origin is accepted on an http connection;
 * the opposite is another origin.
 */
static bool
is_own(const char *origin, const char *const *vars)
{
	const char *requested = var(vars, "HTTP_HOST");
	const char *https = var(vars, "HTTPS");
	bool is_tls = https != NULL && !text_is_word(text_of(https), "off");
	struct authority page, host;
	const char *port, *at;

	if (text_begins_word(text_of(origin), "https://"))
		port = "443";
	else if (text_begins_word(text_of(origin), "http://") && !is_tls)
		port = "80";
	else
		return false;
	if (requested == NULL)
		return false;
	at = strstr(origin, "://") + 3;
	page = split(at, port);
	host = split(requested, port);
	return text_equal(page.port, host.port) &&
	    page.host.len == host.host.len &&
	    strncasecmp(page.host.bytes, host.host.bytes, page.host.len) == 0;
}

/*
 * Returns whether no page of another site has sent the request: neither header
 * may say so.  Sec-Fetch-Site alone is not enough, because a value that is
 * unknown today may come from a browser of tomorrow; Origin alone is not
 * either, because the scheme of the request is unknown behind a proxy.
 * Programs other than browsers send neither.
 */
static bool
is_own_site(const char *const *vars)
{
	const char *origin = var(vars, "HTTP_ORIGIN");
	const char *site = var(vars, "HTTP_SEC_FETCH_SITE");

	if (site != NULL && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0)
		return false;
	return origin == NULL || is_own(origin, vars);
}

/*
 * A form on another site can make a browser send a request with the cookies
 * and credentials of its user, and no preflight precedes it.  A token is never
 * sent that way, but the same rule holds for it, so that the preflight and the
 * request get the same answer.  "*" allows all pages to publish, but not in the
 * name of the user who looks at them.
 *   source   Fetch Metadata Request Headers, 2.3; WHATWG Fetch, 3.1
 */
static int
check_site(const struct publisher_config *config, const char *const *vars,
    struct problem *p)
{
	const char *origin = var(vars, "HTTP_ORIGIN");

	if (is_own_site(vars) || cors_is_listed(&config->cors, origin) ||
	    (config->cors.is_any && var(vars, "REMOTE_USER") == NULL))
		return 0;
	if (origin != NULL && strcmp(origin, "null") == 0)
		return problem_set(p, 403,
		    "The browser hides the origin of this page (Origin: null), "
		    "because of a sandbox or of Referrer-Policy: no-referrer.  "
		    "Publish with fetch() from a page that has an origin.");
	return problem_set(p, 403,
	    "Pages of other origins may publish only if their origin is in the "
	    "publisher's ROWCAST_CORS_ORIGINS.  If this page is of the same "
	    "site, a proxy has changed the Host header: let it pass Host "
	    "unchanged, or list the origin.");
}

/* Bodies are not decompressed: a few KB could become a GB. */
static int
check_encoding(const char *const *vars, struct problem *p)
{
	const char *encoding = var(vars, "HTTP_CONTENT_ENCODING");

	if (encoding == NULL || text_is_word(text_of(encoding), "identity"))
		return 0;
	return problem_set(p, 415,
	    "The body has a Content-Encoding, and the publisher does not "
	    "decompress.  Send the body as it is, without this header.");
}

int
gate_check(const struct publisher_config *config, const char *const *vars,
    const char **type, struct problem *p)
{
	const char *method = form_var(vars, "REQUEST_METHOD");

	if (check_method(method != NULL ? method : "", type, p) != 0 ||
	    access_check(config, vars, p) != 0)
		return -1;
	return check_site(config, vars, p) != 0 ? -1 : check_encoding(vars, p);
}
