/*
 * Which files are accessible: those in the log's folder, where SQLite creates
 * and removes some.  By Landlock or unveil; open descriptors are not affected.
 */
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#if defined(SYS_landlock_create_ruleset) || defined(__OpenBSD__)

/* The folder of a path; NULL if out of memory. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* The path without links, even if it links to a log that does not exist yet;
   NULL with errno. */
static char *
real_path(const char *path)
{
	char *real = realpath(path, NULL), *folder;
	char target[PATH_MAX];
	ssize_t n;

	if (real != NULL || errno != ENOENT)
		return real;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return NULL;
	target[n] = '\0';
	if (target[0] == '/')
		return strdup(target);
	folder = folder_of(path);
	if (folder == NULL || asprintf(&real, "%s/%s", folder, target) < 0)
		real = NULL;
	free(folder);
	return real;
}

#endif

#if defined(SYS_landlock_create_ruleset)

#include <linux/landlock.h>

/* Missing in the headers of older kernels. */
#define RIGHT_REFER (1ULL << 13)
#define RIGHT_TRUNCATE (1ULL << 14)
#define RIGHT_IOCTL_DEVICE (1ULL << 15)

#define READ LANDLOCK_ACCESS_FS_READ_FILE
#define WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)
#define REMOVE LANDLOCK_ACCESS_FS_REMOVE_FILE
#define MAKE LANDLOCK_ACCESS_FS_MAKE_REG
#define LIST LANDLOCK_ACCESS_FS_READ_DIR

/* struct landlock_ruleset_attr; older kernels accept zeros at its end. */
struct rules {
	uint64_t files;
	uint64_t network;
	uint64_t scope;
};

/* All that a version of Landlock can refuse. */
static struct rules
all_rules(int version)
{
	struct rules all = { .files = RIGHT_REFER - 1 };

	if (version >= 2)
		all.files |= RIGHT_REFER;
	if (version >= 3)
		all.files |= RIGHT_TRUNCATE;
	if (version >= 4)
		all.network = 3; /* bind and connect over TCP */
	if (version >= 5)
		all.files |= RIGHT_IOCTL_DEVICE;
	if (version >= 6)
		all.scope = 3; /* abstract sockets and signals to others */
	return all;
}

/* A path that cannot be opened stays inaccessible. */
static void
allow_path(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	/* fails if the path is not a folder and the rights are for one */
	(void)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	(void)close(rule.parent_fd);
}

static int
allow_folder(int ruleset, const char *path, uint64_t rights)
{
	char *folder = folder_of(path);

	if (folder == NULL)
		return -1;
	allow_path(ruleset, folder, rights);
	free(folder);
	return 0;
}

static int
allow_ours(int ruleset, const struct sandbox_options *o, uint64_t known)
{
	const uint64_t own = (READ | WRITE | REMOVE | MAKE | LIST) & known;
	int rc = allow_folder(ruleset, o->log, own);
	char *real = real_path(o->log);

	if (real != NULL && rc == 0)
		rc = allow_folder(ruleset, real, own);
	else if (real == NULL && errno == ENOMEM)
		rc = -1;
	free(real);
	if (o->socket != NULL && rc == 0)
		rc = allow_folder(ruleset, o->socket, REMOVE);
	/* for SQLite */
	allow_path(ruleset, "/dev/urandom", READ);
	allow_path(ruleset, "/dev/null", (READ | WRITE) & known);
	return rc;
}

const char sandbox_files_by[] = "landlock";

int
sandbox_files_confine(const struct sandbox_options *o, int *version)
{
	int supported = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct rules rules = all_rules(supported);
	int ruleset, rc;

	*version = 0;
	if (supported < 1)
		return 0;
	ruleset =
	    (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (ruleset < 0)
		return 0;
	rc = allow_ours(ruleset, o, rules.files);
#ifndef SANITIZED_BUILD /* sanitizers report into files */
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0)
		*version = supported;
#endif
	(void)close(ruleset);
	return rc;
}

#elif defined(__OpenBSD__)

const char sandbox_files_by[] = "unveil";

static int
unveil_folder(const char *path, const char *rights)
{
	char *folder = folder_of(path);

	if (folder == NULL)
		return -1;
	(void)unveil(folder, rights); /* inaccessible if it fails */
	free(folder);
	return 0;
}

int
sandbox_files_confine(const struct sandbox_options *o, int *version)
{
	/* before the first unveil(), which hides everything else */
	char *real = real_path(o->log);
	int rc = real == NULL && errno == ENOMEM ? -1 : 0;

	if (rc == 0)
		rc = unveil_folder(o->log, "rwc");
	if (rc == 0 && real != NULL)
		rc = unveil_folder(real, "rwc");
	free(real);
	if (rc != 0)
		return rc;
	if (o->socket != NULL)
		(void)unveil(o->socket, "c"); /* to be removed */
	/* for SQLite */
	(void)unveil("/dev/urandom", "r");
	(void)unveil("/dev/null", "rw");
	*version = unveil(NULL, NULL) == 0;
	return 0;
}

#else

const char sandbox_files_by[] = "files";

int
sandbox_files_confine(const struct sandbox_options *o, int *version)
{
	(void)o;
	(void)version;
	return 0;
}

#endif
