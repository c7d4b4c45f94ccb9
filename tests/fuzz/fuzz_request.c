/*
 * request_parse() over any variables: one per line of the input, in the order
 * of names below.  Accepted or refused, what comes out is whole.
 *
 * Covers: fcgi/request.c fcgi/accept.c lib/problem.c
 */
#include "fuzz.h"

#include "fcgi/request.h"
#include "lib/utf8.h"

static const char *const names[] = {
	"REQUEST_METHOD",
	"QUERY_STRING",
	"HTTP_LAST_EVENT_ID",
	"HTTP_ACCEPT",
	"HTTP_ORIGIN",
};

#define N_NAMES (sizeof names / sizeof names[0])

static char *
make_var(const char *name, const uint8_t *line, size_t len)
{
	size_t name_len = strlen(name);
	char *var = malloc(name_len + len + 2);

	require(var != NULL);
	memcpy(var, name, name_len);
	var[name_len] = '=';
	memcpy(var + name_len + 1, line, len);
	var[name_len + 1 + len] = '\0';
	return var;
}

static void
look_at_request(const struct request *r)
{
	const struct pattern *patterns;
	size_t n;

	require(r->filter != NULL && r->value >= 0);
	require(r->start != START_LAST || r->value >= 1);
	require((r->start != START_NOW && r->start != START_EARLIEST) ||
	    r->value == 0);
	patterns = filter_patterns(r->filter, &n);
	require(n >= 1 && n <= FILTER_TOPICS_MAX);
	for (size_t i = 0; i < n; i++)
		require(patterns[i].text.len <= EVENT_NAME_MAX &&
		    utf8_is_valid(patterns[i].text) &&
		    filter_has_topic(r->filter, patterns[i].text));
	require(r->hello.len <= EVENT_NAME_MAX);
	require(utf8_is_valid(r->hello));
	for (size_t i = 0; i < r->hello.len; i++)
		require(strchr("\r\n", r->hello.bytes[i]) == NULL);
}

static void
look_at_problem(const struct problem *p)
{
	static char out[PROBLEM_MAX];

	require(p->status == 400 || p->status == 405 || p->status == 406);
	require((p->status == 405) == (p->header != NULL));
	require(p->detail[0] != '\0');
	require(utf8_is_valid(
	    (struct text){ p->detail, strnlen(p->detail, sizeof p->detail) }));
	require(problem_write(p, "", out, sizeof out) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *vars[N_NAMES + 1] = { NULL };
	struct request r;
	struct problem p;
	size_t n = 0;

	while (n < N_NAMES && size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end != NULL ? (size_t)(end - data) : size;
		size_t used = end != NULL ? len + 1 : len;

		vars[n] = make_var(names[n], data, len);
		n++;
		data += used;
		size -= used;
	}
	if (request_parse((const char *const *)vars, &r, &p) == 0) {
		look_at_request(&r);
		request_free(&r);
	} else {
		look_at_problem(&p);
	}
	for (size_t i = 0; i < n; i++)
		free(vars[i]);
	return 0;
}
