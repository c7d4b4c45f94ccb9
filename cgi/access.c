/*
 * Access to publishing: shut, unless the web server, a token or the operator
 * opens it.  The token is compared in a time that does not depend on how much
 * of it was right.
 */
#include "access.h"

#include <string.h>

#include "lib/text.h"

/* The token of "Bearer <token>", lent by the header; NULL if it has none. */
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

/* Takes as long as given is, whatever stands in secret (never empty). */
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
 * Did the web server verify who this is?  nginx gives as REMOTE_USER whatever
 * name the client claims in Basic credentials that nobody asked for; it does
 * not say AUTH_TYPE then.
 */
static bool
is_verified(const char *remote_user, const char *auth_type,
    const char *authorization)
{
	if (remote_user == NULL || remote_user[0] == '\0')
		return false;
	return (auth_type != NULL && auth_type[0] != '\0') ||
	    !text_begins_word(text_of(authorization), "Basic ");
}

int
access_check(const struct access_rules *rules, const char *remote_user,
    const char *auth_type, const char *authorization, struct problem *p)
{
	const char *given;

	if (rules->is_open ||
	    is_verified(remote_user, auth_type, authorization))
		return 0;
	if (rules->token == NULL || rules->token[0] == '\0') {
		problem_set(p, 403,
		    "Publishing is shut.  Have the web server "
		    "ask for a password here, or set ROWCAST_PUBLISH_TOKEN, or "
		    "ROWCAST_PUBLISH_OPEN=1 to let everyone publish.");
		return -1;
	}
	given = bearer_token(authorization);
	if (given != NULL && is_equal(given, rules->token))
		return 0;
	if (given != NULL)
		problem_set(p, 401,
		    "This is not the token that "
		    "ROWCAST_PUBLISH_TOKEN holds.");
	else
		problem_set(p, 401,
		    "Send \"Authorization: Bearer <token>\" "
		    "with the token that ROWCAST_PUBLISH_TOKEN holds.  If you "
		    "did: Apache passes it on with CGIPassAuth On only.");
	p->header = "WWW-Authenticate: Bearer realm=\"rowcast\"";
	return -1;
}
