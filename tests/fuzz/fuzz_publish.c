/*
 * publish: one publishing request, from its variables to its answer, without
 * connection or log.
 *
 * The input chooses how the publisher was set up, the variables (from what web
 * servers send, or any text), the body in pieces, and what becomes of the
 * events.  Holds if it comes to an end; events are only to be appended if a
 * naive reading of the rules lets this request in; and the answer is a whole
 * CGI response with a status of the contract, whose length is right and which
 * lets only pages read it that were listed.
 *
 * Covers: cgi/publish.c cgi/gate.c cgi/access.c lib/cors.c cgi/answer.c
 */
#include "fuzz.h"

#include <strings.h>

#include "cgi/publish.h"
#include "lib/utf8.h"
#include "lib/warn.h"

#define VARS_MAX 12
#define VAR_BYTES 160

/* In place of lib/warn.c: what the operator is told is of no matter. */
void
warn_line(const char *format, ...)
{
	(void)format;
}

static const char *const origins[] = { "https://a.example", "*",
	"https://b.example:8443" };

/* A variable, and what it may be; NULL: not there; "": any text. */
static const struct {
	const char *name;
	const char *values[8];
	size_t n;
} table[] = {
	{ "REQUEST_METHOD", { "POST", "POST", "PUT", "OPTIONS", "GET", "" },
	    6 },
	{ "CONTENT_TYPE",
	    { "application/json", "application/x-www-form-urlencoded",
		"text/plain", "application/x-ndjson", "text/event-stream",
		"text/plain; charset=\"utf-8\";", "", NULL },
	    8 },
	{ "CONTENT_LENGTH", { NULL, "-1", "", "5" }, 4 },
	{ "QUERY_STRING",
	    { NULL, "topic=t&key=k", "event=e&retry=9&topic=%c3%a9", "" }, 4 },
	{ "HTTP_AUTHORIZATION",
	    { NULL, "Bearer secret", "bearer  secret", "Bearer sacret",
		"Basic YTpi", "" },
	    6 },
	{ "REMOTE_USER", { NULL, "me", "" }, 3 },
	{ "AUTH_TYPE", { NULL, "Basic", "" }, 3 },
	{ "HTTP_ORIGIN",
	    { NULL, "https://a.example", "*", "null", "https://c.example", "" },
	    6 },
	{ "HTTP_HOST", { NULL, "c.example", "" }, 3 },
	{ "HTTP_SEC_FETCH_SITE", { NULL, "same-origin", "cross-site", "" }, 4 },
};

struct variables {
	char text[VARS_MAX][VAR_BYTES];
	const char *vars[VARS_MAX + 1];
	size_t n;
};

static void
choose_variables(struct choices *c, struct variables *v)
{
	v->n = 0;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *value = table[i].values[choose(c, table[i].n)];
		char *out = v->text[v->n];
		struct text t = { "", 0 };

		if (value == NULL)
			continue;
		if (value[0] == '\0')
			t = choose_text(c, 100);
		for (size_t k = 0; k < t.len; k++)
			if (t.bytes[k] == '\0')
				t.len = k;
		(void)snprintf(out, VAR_BYTES, "%s=%s%.*s", table[i].name,
		    value, (int)t.len, t.len > 0 ? t.bytes : "");
		v->vars[v->n++] = out;
	}
	v->vars[v->n] = NULL;
}

static const char *
value_of(const struct variables *v, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < v->n; i++)
		if (strncmp(v->vars[i], name, len) == 0 &&
		    v->vars[i][len] == '=')
			return v->vars[i] + len + 1;
	return NULL;
}

/* ---- the rules, read naively ---- */

static bool
is_set(const char *value)
{
	return value != NULL && value[0] != '\0';
}

static bool
is_listed(const struct publisher_config *config, const char *origin)
{
	const struct cors *cors = &config->cors;

	for (size_t i = 0; i < cors->n_origins && origin != NULL; i++)
		if (text_equal(cors->origins[i],
			(struct text){ origin, strlen(origin) }))
			return true;
	return origin != NULL && cors->is_any && strcmp(origin, "*") == 0;
}

static bool
is_known(const struct publisher_config *config, const struct variables *v)
{
	const char *authorization = value_of(v, "HTTP_AUTHORIZATION");

	if (config->is_open)
		return true;
	if (is_set(value_of(v, "REMOTE_USER")) &&
	    (is_set(value_of(v, "AUTH_TYPE")) || authorization == NULL ||
		strncasecmp(authorization, "Basic ", 6) != 0))
		return true;
	if (config->token == NULL || authorization == NULL ||
	    strncasecmp(authorization, "Bearer ", 7) != 0)
		return false;
	authorization += 7;
	while (*authorization == ' ')
		authorization++;
	return strcmp(authorization, config->token) == 0;
}

/* Is the part of an origin after its scheme this host, but for a default
   port? */
static bool
is_host(const char *page, const char *host, const char *port)
{
	char both[2][VAR_BYTES];
	const char *const names[] = { page, host };

	for (size_t i = 0; i < 2; i++) {
		size_t len =
		    (size_t)snprintf(both[i], VAR_BYTES, "%s", names[i]);
		size_t cut = strlen(port);

		if (len > 0 && both[i][len - 1] == ':')
			both[i][len - 1] = '\0';
		else if (len >= cut && strcmp(both[i] + len - cut, port) == 0)
			both[i][len - cut] = '\0';
	}
	return strcasecmp(both[0], both[1]) == 0;
}

static bool
is_own_page(const struct variables *v)
{
	const char *site = value_of(v, "HTTP_SEC_FETCH_SITE");
	const char *origin = value_of(v, "HTTP_ORIGIN");
	const char *host = value_of(v, "HTTP_HOST");

	if (is_set(site) && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0)
		return false;
	if (!is_set(origin))
		return true;
	if (!is_set(host))
		return false;
	if (strncasecmp(origin, "https://", 8) == 0)
		return is_host(origin + 8, host, ":443");
	return strncasecmp(origin, "http://", 7) == 0 &&
	    is_host(origin + 7, host, ":80");
}

static bool
is_let_in(const struct publisher_config *config, const struct variables *v)
{
	const char *method = value_of(v, "REQUEST_METHOD");
	const char *origin = value_of(v, "HTTP_ORIGIN");
	bool is_elsewhere = !is_own_page(v);

	if (method == NULL ||
	    (strcmp(method, "POST") != 0 && strcmp(method, "PUT") != 0))
		return false;
	if (!is_known(config, v))
		return false;
	return !is_elsewhere || is_listed(config, origin) ||
	    (is_listed(config, "*") && !is_set(value_of(v, "REMOTE_USER")));
}

/* ---- the answer ---- */

static bool
is_status(int status)
{
	static const int all[] = { 200, 201, 204, 400, 401, 403, 405, 408, 409,
		411, 413, 415, 422, 500, 503, 507 };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] == status)
			return true;
	return false;
}

static void
check_origin(const struct publisher_config *config, const struct variables *v,
    const char *head)
{
	static const char name[] = "Access-Control-Allow-Origin: ";
	const char *at = strstr(head, name), *origin;
	bool has_credentials =
	    strstr(head, "Access-Control-Allow-Credentials") != NULL;

	if (at == NULL) {
		require(!has_credentials);
		return;
	}
	at += sizeof(name) - 1;
	origin = value_of(v, "HTTP_ORIGIN");
	if (strncmp(at, "*\r\n", 3) == 0) {
		require(origin != NULL && is_listed(config, "*") &&
		    !has_credentials);
		return;
	}
	require(is_listed(config, origin) && has_credentials);
	require(strncmp(at, origin, strlen(origin)) == 0);
	require(strncmp(at + strlen(origin), "\r\n", 2) == 0);
}

static void
check_answer(const struct publisher_config *config, const struct variables *v,
    const char *answer, size_t len)
{
	char *copy = fuzz_copy(answer, len + 1), *body, *length;
	long long status, promised;

	copy[len] = '\0';
	require(utf8_is_valid((struct text){ answer, len }));
	require(strlen(copy) == len && strncmp(copy, "Status: ", 8) == 0);
	status = strtoll(copy + 8, NULL, 10);
	require(is_status((int)status));
	body = strstr(copy, "\r\n\r\n");
	require(body != NULL);
	body[2] = '\0';
	body += 4;
	check_origin(config, v, copy);
	length = strstr(copy, "Content-Length: ");
	if (length != NULL) {
		promised = strtoll(length + 16, NULL, 10);
		require(promised == (long long)strlen(body));
	}
	require(status == 204 || strlen(body) > 0);
	for (const char *p = copy; *p != '\0'; p++)
		require(*p == '\r' || *p == '\n' ||
		    ((unsigned char)*p >= 0x20 && *p != 0x7f));
	free(copy);
}

/* ---- a request ---- */

/* What becomes of the events: stored, refused, or trouble. */
static void
append(struct choices *c, struct publish *p)
{
	static const enum log_result results[] = { LOG_OK, LOG_OK, LOG_OK,
		LOG_REFUSED, LOG_CONFLICT, LOG_BUSY, LOG_FULL, LOG_BROKEN };
	struct log_receipt *receipts;
	const struct event *events;
	enum log_result result = results[choose(c, 8)];
	size_t n, culprit;

	events = publish_events(p, &n);
	require(n > 0 && events != NULL);
	culprit = choose(c, 256) % n;
	receipts = calloc(n, sizeof(*receipts));
	require(receipts != NULL);
	for (size_t i = 0; i < n; i++) {
		require(utf8_is_valid(events[i].data));
		receipts[i] = (struct log_receipt){ (int64_t)i + 1, i % 2 > 0 };
	}
	if (publish_appended(p, result, result == LOG_OK ? receipts : NULL,
		culprit, "why")) {
		(void)publish_events(p, &n);
		require(n == culprit);
		require(!publish_appended(p, LOG_OK, receipts, 0, NULL));
	}
	free(receipts);
}

static void
feed(struct choices *c, struct publish *p, struct text body, size_t size)
{
	size_t n = body.len < size ? body.len : size;
	char *piece;

	if (n == 0 && choose(c, 8) == 7) {
		publish_stop(p, 408, "Nothing came.");
	} else if (n == 0) {
		publish_end(p);
	} else {
		piece = fuzz_copy(body.bytes, n);
		publish_take(p, piece, n);
		free(piece);
	}
}

static void
run(struct choices *c, struct publish *p, const struct publisher_config *config,
    const struct variables *v)
{
	size_t size = choose(c, 4) == 3 ? 1 + choose(c, 16) : SIZE_MAX, len;
	struct choices fates = { c->bytes, c->len < 8 ? c->len : 8 };
	struct text body;
	const char *answer;

	c->bytes += fates.len;
	c->len -= fates.len;
	body = (struct text){ (const char *)c->bytes, c->len };
	while (publish_state(p) != PUBLISH_ANSWERING) {
		if (publish_state(p) == PUBLISH_APPENDING) {
			require(is_let_in(config, v));
			append(&fates, p);
			continue;
		}
		feed(&fates, p, body, size);
		len = body.len < size ? body.len : size;
		if (len > 0)
			body.bytes += len;
		body.len -= len;
	}
	answer = publish_answer(p, &len);
	require(answer != NULL);
	check_answer(config, v, answer, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log *json;
	static struct variables v;
	struct choices c = { data, size };
	struct publisher_config config = { .db = "db", .max_body_bytes = 300 };
	struct publish *p;
	char why[OPTIONS_WHY_MAX];
	size_t n_origins;

	if (json == NULL)
		json = log_open_memory();
	require(json != NULL);
	config.is_open = choose(&c, 4) == 0;
	config.token = choose(&c, 4) == 0 ? NULL : "secret";
	n_origins = choose(&c, 4);
	for (size_t i = 0; i < n_origins; i++)
		require(cors_add(&config.cors, origins[i], why) == OPTIONS_OK);
	choose_variables(&c, &v);
	p = publish_new(&config, json, v.vars, choose(&c, 4) > 0);
	require(p != NULL);
	run(&c, p, &config, &v);
	publish_free(p);
	return 0;
}
