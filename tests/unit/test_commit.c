/*
 * commit: the outcome of a request while the log is replaced again and again,
 * and while there is no memory.
 */
#include "logs.h"

#include <sqlite3.h>

#include <signal.h>
#include <sys/wait.h>

#include "cgi/commit.h"
#include "cgi/publish.h"

#define REQUESTS 2000

static char logs[2][64];

/* Rename links to two logs over the path in turn, until killed. */
static pid_t
replace_again_and_again(void)
{
	char new_name[sizeof(path) + 8];
	pid_t child;

	(void)snprintf(new_name, sizeof(new_name), "%s.new", path);
	child = fork();
	if (child != 0)
		return child;
	for (int i = 0;; i = 1 - i)
		if (symlink(logs[i], new_name) != 0 ||
		    rename(new_name, path) != 0)
			_exit(1);
}

/* Is a request with a bad event refused, unless it has to wait for the log? */
static bool
refuses_or_waits(struct publish *p, struct commit *commit)
{
	const char *answer;
	size_t len;

	if (p == NULL)
		abort();
	publish_take(p, "event=&data=x", 13);
	publish_end(p);
	if (commit_all(commit, &p, 1) != 0)
		return publish_state(p) == PUBLISH_APPENDING;
	answer = publish_answer(p, &len);
	return answer != NULL && strncmp(answer, "Status: 422", 11) == 0;
}

static bool
commits_well(const struct publisher_config *config)
{
	static const char *const vars[] = { "REQUEST_METHOD=POST",
		"CONTENT_TYPE=application/x-www-form-urlencoded", NULL };
	struct commit *commit = commit_new(config, 50);
	struct log *json = log_open_memory();
	bool is_good = commit != NULL && json != NULL;

	for (int i = 0; i < REQUESTS && is_good; i++) {
		struct publish *p = publish_new(config, json, vars, true);

		is_good = refuses_or_waits(p, commit);
		publish_free(p);
	}
	log_close(json);
	commit_free(commit);
	return is_good;
}

/* ---- no memory ---- */

static int opened; /* databases */

static int
on_open(sqlite3 *db, char **reason, const struct sqlite3_api_routines *api)
{
	(void)db;
	(void)reason;
	(void)api;
	opened++;
	return SQLITE_OK;
}

/* Is a request answered like this, with so many bytes left to SQLite? */
static bool
answers(const struct publisher_config *config, struct commit *commit,
    struct log *json, int64_t bytes_left, const char *status)
{
	static const char *const vars[] = { "REQUEST_METHOD=POST",
		"CONTENT_TYPE=text/plain", NULL };
	static const char body[100000];
	struct publish *p = publish_new(config, json, vars, true);
	bool is_so;
	const char *answer;
	size_t len;

	if (p == NULL)
		abort();
	publish_take(p, body, sizeof(body));
	publish_end(p);
	if (bytes_left > 0)
		(void)sqlite3_hard_heap_limit64(
		    sqlite3_memory_used() + bytes_left);
	is_so = commit_all(commit, &p, 1) == 0;
	(void)sqlite3_hard_heap_limit64(0);
	answer = publish_answer(p, &len);
	is_so = is_so && answer != NULL &&
	    strncmp(answer, status, strlen(status)) == 0;
	publish_free(p);
	return is_so;
}

static void
check_no_memory(void)
{
	const struct publisher_config config = {
		.db = path,
		.no_sync = true,
		.max_body_bytes = 1000000,
		.is_open = true,
	};
	struct commit *commit = commit_new(&config, 50);
	struct log *json = log_open_memory();

	if (commit == NULL || json == NULL)
		abort();
	log_close(new_log());
	(void)sqlite3_auto_extension((void (*)(void))on_open);
	check(answers(&config, commit, json, 0, "Status: 201") && opened == 1,
	    "a request opens the log");
	check(answers(&config, commit, json, 50000, "Status: 500"),
	    "without memory, a request fails");
	check(answers(&config, commit, json, 0, "Status: 201") && opened == 1,
	    "the next one need not open it again");
	sqlite3_reset_auto_extension();
	log_close(json);
	commit_free(commit);
}

int
main(void)
{
	const struct publisher_config config = {
		.db = path,
		.no_sync = true,
		.max_body_bytes = 1000,
		.is_open = true,
	};
	pid_t child;

	if (!begin())
		return 0;
	for (int i = 0; i < 2; i++) {
		log_close(new_log());
		memcpy(logs[i], path, sizeof(path));
	}
	new_path();
	child = replace_again_and_again();
	if (child < 0)
		abort();
	check(commits_well(&config),
	    "a refused request stays refused, however often the log is"
	    " replaced");
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	check_no_memory();
	return end();
}
