/*
 * The one request of a CGI process.
 */
#include "plain.h"

#include <errno.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/sandbox/sandbox.h"
#include "lib/warn.h"
#include "commit.h"
#include "publish.h"

#define READ_BYTES 65536

int
plain_write(const char *bytes, size_t len)
{
	if (descriptor_write(STDOUT_FILENO, bytes, len) == 0)
		return 0;
	warn_line("answer: standard output: %s", descriptor_error(errno));
	return -1;
}

/* Read some of the body; *left is the number of bytes to come. */
static void
read_some(struct publish *p, int64_t *left)
{
	char bytes[READ_BYTES];
	ssize_t n = 0;

	if (*left > 0)
		n = descriptor_read(STDIN_FILENO, bytes,
		    *left < READ_BYTES ? (size_t)*left : sizeof(bytes));
	if (n > 0) {
		*left -= n;
		publish_take(p, bytes, (size_t)n);
	} else if (n == 0) {
		publish_end(p);
	} else {
		warn_line("body: standard input: %s", descriptor_error(errno));
		publish_stop(p, 500,
		    "The body cannot be read; the web server's error log has"
		    " the reason.");
	}
}

static int
serve(struct publish *p, struct commit *commit)
{
	int64_t left = publish_length(p);
	const char *answer;
	size_t len;

	for (;;) {
		switch (publish_state(p)) {
		case PUBLISH_READING:
		case PUBLISH_DISCARDING:
			read_some(p, &left);
			break;
		case PUBLISH_APPENDING:
			if (commit_all(commit, &p, 1) != 0)
				commit_busy(commit, p);
			break;
		case PUBLISH_ANSWERING:
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
	struct log *json = log_open_memory();
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
	log_close(json);
	commit_free(commit);
	return result;
}
