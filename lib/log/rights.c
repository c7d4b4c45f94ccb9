/*
 * The rights that a program needs to open a log: to its files and its folder.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "statement.h"

/* Returns whether this user lacks a right to a file that exists. */
static bool
is_denied(const char *path, int rights)
{
	return access(path, rights) != 0 && (errno == EACCES || errno == EROFS);
}

const char *
log_rights_advise(const char *path, char *buffer, size_t size)
{
	static const char *const endings[] = { "", "-wal", "-shm" };
	char real[PATH_MAX], name[PATH_MAX + 8];
	const char *folder, *denied = NULL;

	if (realpath(path, real) == NULL)
		(void)snprintf(real, sizeof(real), "%s", path);
	for (size_t i = 0; i < 3 && denied == NULL; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", real, endings[i]);
		if (is_denied(name, R_OK | W_OK))
			denied = name;
	}
	folder = dirname(real);
	if (access(folder, F_OK) != 0 && errno == ENOENT) {
		(void)snprintf(buffer, size, ": there is no folder %.200s",
		    folder);
		return buffer;
	}
	if (is_denied(folder, W_OK | X_OK))
		denied = folder;
	if (denied == NULL)
		return NULL;
	(void)snprintf(buffer, size,
	    ": let user %ld read and write %.200s: each program that opens the"
	    " log, readers too, needs this right to the file, its -wal and"
	    " -shm, and its folder",
	    (long)geteuid(), denied);
	return buffer;
}
