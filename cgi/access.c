/*
 * Access to publishing: denied, unless the web server has authenticated the
 * client, or the client sends the token, or everyone may publish.  The token is
 * compared in constant time.
 */
#include "access.h"

#include <string.h>

#include "lib/form.h"
#include "lib/text.h"

#define CHALLENGE "WWW-Authenticate: Bearer realm=\"rowcast\""
#define TOKEN_IS_SET                                                           \
	"The token is the value of ROWCAST_PUBLISH_TOKEN in the publisher's "  \
	"environment: see /etc/default/rowcast-publish if systemd starts the " \
	"publisher, else the configuration of the web server.  \"make run\" "  \
	"writes it to build/run/token."

/* Returns the token of "Bearer <token>", lent by the header; NULL if none. */
static const char *
bearer_token(const char *authorization)
{
	static const char scheme[] = "Bearer ";
	const char *token;

	if (!text_begins_word(text_of(authorization), scheme))
		return NULL;
	token = authorization + sizeof(scheme) - 1;
	return token + strspn(token, " ");
}

/* The time depends only on the length of given.  secret is not empty. */
static bool
is_equal(const char *given, const char *secret)
{
	size_t given_len = strlen(given);
	size_t secret_len = strlen(secret);
	volatile unsigned char differs = given_len != secret_len;

	for (size_t i = 0; i < given_len; i++)
		differs |= (unsigned char)(given[i] ^ secret[i % secret_len]);
	return differs == 0;
}

/*
 * Returns whether the web server has authenticated the client.  nginx copies
 * the name from any Basic credentials into REMOTE_USER, verified or not; it
 * sets AUTH_TYPE only if it has verified them.
 */
static bool
is_verified(const char *const *vars)
{
	const char *remote_user = form_var(vars, "REMOTE_USER");
	const char *auth_type = form_var(vars, "AUTH_TYPE");

	if (remote_user == NULL || remote_user[0] == '\0')
		return false;
	return (auth_type != NULL && auth_type[0] != '\0') ||
	    !text_begins_word(text_of(form_var(vars, "HTTP_AUTHORIZATION")),
		"Basic ");
}

int
access_check(const struct publisher_config *config, const char *const *vars,
    struct problem *p)
{
	const char *given;

	if (config->is_open || is_verified(vars))
		return 0;
	if (config->token == NULL || config->token[0] == '\0')
		return problem_set(p, 403,
		    "Publishing is not enabled.  Let the web server "
		    "ask for a password, or set ROWCAST_PUBLISH_TOKEN, or set "
		    "ROWCAST_PUBLISH_OPEN=1 to let everyone publish.");
	given = bearer_token(form_var(vars, "HTTP_AUTHORIZATION"));
	if (given != NULL && is_equal(given, config->token))
		return 0;
	problem_set(p, 401, "%s  " TOKEN_IS_SET,
	    given != NULL ?
		"The token is wrong." :
		"Send \"Authorization: Bearer <token>\".  Apache passes "
		"this header on only with \"CGIPassAuth On\".");
	p->header =
	    given != NULL ? CHALLENGE ", error=\"invalid_token\"" : CHALLENGE;
	return -1;
}
