/*
 * The checks that a publish request passes before its body is read.
 */
#include "gate.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "lib/form.h"
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

/* Returns whether an Origin header names another host than the Host header. */
static bool
is_elsewhere(const char *origin, const char *host)
{
	const char *at;

	if (origin == NULL)
		return false;
	at = strstr(origin, "://");
	return at == NULL || host == NULL || strcasecmp(at + 3, host) != 0;
}

static bool
is_cross_site(const char *const *vars)
{
	const char *site = form_var(vars, "HTTP_SEC_FETCH_SITE");

	if (site != NULL)
		return strcmp(site, "cross-site") == 0;
	/* browsers omit it over plain http, and old browsers always do */
	return is_elsewhere(form_var(vars, "HTTP_ORIGIN"),
	    form_var(vars, "HTTP_HOST"));
}

/*
 * A form on another site can make a browser send a request with the cookies
 * and credentials of its user, and no preflight precedes it.  "*" allows all
 * pages to publish, but not in the name of the user who looks at them.
 *   source   Fetch Metadata Request Headers, 2.3; WHATWG Fetch, 3.1
 */
static int
check_site(const struct publisher_config *config, const char *const *vars,
    struct problem *p)
{
	const char *origin = form_var(vars, "HTTP_ORIGIN");
	const char *user = form_var(vars, "REMOTE_USER");
	bool is_user = user != NULL && user[0] != '\0';

	if (!is_cross_site(vars) || cors_is_listed(&config->cors, origin) ||
	    (!is_user && config->cors.is_any))
		return 0;
	return problem_set(p, 403,
	    "Pages of other sites may publish only if their origin is in "
	    "ROWCAST_CORS_ORIGINS.");
}

int
gate_check(const struct publisher_config *config, const char *const *vars,
    const char **type, struct problem *p)
{
	const char *method = form_var(vars, "REQUEST_METHOD");

	if (check_method(method != NULL ? method : "", type, p) != 0 ||
	    access_check(config, vars, p) != 0)
		return -1;
	return check_site(config, vars, p);
}
