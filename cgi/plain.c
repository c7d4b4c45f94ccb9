/*
 * The one request of a CGI process.
 */
#include "plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sandbox/sandbox.h"
#include "lib/warn.h"
#include "commit.h"
#include "publish.h"

#define READ_BYTES 65536

int
plain_write(const char *bytes, size_t len)
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

/* Read some of the body, which ends after *left bytes. */
static void
read_some(struct publish *p, int64_t *left)
{
	char bytes[READ_BYTES];
	ssize_t n = 0;

	if (*left > 0) {
		do
			n = read(STDIN_FILENO, bytes,
			    *left < READ_BYTES ? (size_t)*left : sizeof(bytes));
		while (n < 0 && errno == EINTR);
	}
	if (n > 0) {
		*left -= n;
		publish_take(p, bytes, (size_t)n);
	} else {
		publish_over(p);
	}
}

static int
serve(struct publish *p, struct commit *commit)
{
	int64_t left = publish_length(p);
	const char *answer;
	size_t len;

	for (;;) {
		switch (publish_want(p)) {
		case PUBLISH_INPUT:
			read_some(p, &left);
			break;
		case PUBLISH_APPEND:
			if (commit_all(commit, &p, 1) != 0)
				commit_busy(commit, p);
			break;
		case PUBLISH_ANSWER:
			answer = publish_answer(p, &len);
			if (answer != NULL)
				return plain_write(answer, len);
			warn_line("answer: out of memory");
			return -1;
		}
	}
}

int
plain_serve(const struct publisher_config *config)
{
	struct commit *commit = commit_new(config, config->busy_ms);
	struct log_json *json = log_json_new();
	struct publish *p = NULL;
	struct sandbox sandbox = { .is_off = config->no_sandbox };
	const struct sandbox_options options = { .log = config->db };
	int result = -1;

	if (sandbox_enter(&sandbox, &options) == 0 && commit != NULL &&
	    json != NULL)
		p = publish_new(config, json, (const char *const *)environ,
		    false);
	if (p != NULL)
		result = serve(p, commit);
	else
		warn_line("main: out of memory");
	publish_free(p);
	log_json_free(json);
	commit_free(commit);
	return result;
}
