/*
 * CGI responses of the publisher.
 *
 * Each is made in memory and goes out whole: what fails is seen before the
 * first byte, and the length is known.
 */
#include "answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/warn.h"
#include "cors.h"

int
answer_text(const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			warn_line("answer: %s", strerror(errno));
			return -1;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int
answer_problem(const char *cors, const struct problem *p)
{
	char out[PROBLEM_MAX + CORS_MAX];

	return answer_text(out, problem_write(p, cors, out, sizeof(out)));
}

int
answer_options(const char *cors, bool is_allowed)
{
	char out[2 * CORS_MAX];
	int len;

	len = snprintf(out, sizeof(out),
	    "Status: 204 No Content\r\n%s\r\nCache-Control: no-store\r\n%s%s\r\n",
	    ANSWER_ALLOW, cors, is_allowed ? cors_preflight : "");
	return answer_text(out, (size_t)len);
}

static void
print_ids(FILE *f, const struct log_receipt *receipts, size_t n, bool is_array)
{
	(void)fprintf(f, is_array ? "{\"ids\":[" : "{\"id\":");
	for (size_t i = 0; i < n; i++)
		(void)fprintf(f, "%s%lld", i > 0 ? "," : "",
		    (long long)receipts[i].id);
	(void)fprintf(f, is_array ? "]}\n" : "}\n");
}

static bool
has_new(const struct log_receipt *receipts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (receipts[i].is_new)
			return true;
	}
	return false;
}

/* The head, then the body; its length must be known first. */
static int
write_receipts(const char *cors, bool is_new, const char *ids, size_t len)
{
	char head[2 * CORS_MAX];
	int head_len;

	head_len = snprintf(head, sizeof(head),
	    "Status: %s\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n"
	    "%s\r\n",
	    is_new ? "201 Created" : "200 OK", len, cors);
	if (answer_text(head, (size_t)head_len) != 0)
		return -1;
	return answer_text(ids, len);
}

/*
 * The events are on disk when this is called: trouble from here on is for the
 * operator to know, and the client may send its events again if they have
 * keys.
 */
int
answer_receipts(const char *cors, const struct log_receipt *receipts, size_t n,
    bool is_array)
{
	char *ids = NULL;
	size_t len = 0;
	FILE *f;
	int result = -1;

	f = open_memstream(&ids, &len);
	if (f != NULL) {
		print_ids(f, receipts, n, is_array);
		if (fclose(f) == 0)
			result = write_receipts(cors, has_new(receipts, n), ids,
			    len);
		else
			warn_line("answer: %s", strerror(errno));
	} else {
		warn_line("answer: %s", strerror(errno));
	}
	free(ids);
	return result;
}
