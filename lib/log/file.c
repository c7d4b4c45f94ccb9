/*
 * The log as a file: create it, find it, notice that it was replaced.
 */
#include "log.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "statement.h"

/* Returns whether there is a file of this name and ending. */
static bool
is_beside(const char *name, const char *ending)
{
	char path[PATH_MAX + 8];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s%s", name, ending);
	return stat(path, &st) == 0;
}

/*
 * Refuse a WAL whose database is missing or empty.  It may hold the newest
 * events, and SQLite would delete it; other programs would take their cached
 * pages of the old log for those of the new one.  A program that creates a log
 * writes its first page before the WAL exists, so look for the WAL first.
 */
static enum log_result
look_beside(struct log *log)
{
	char name[PATH_MAX];
	bool has_rest;
	struct stat st;

	/* a file that does not exist is no link */
	if (realpath(log->path, name) == NULL)
		(void)snprintf(name, sizeof(name), "%s", log->path);
	has_rest = is_beside(name, "-wal") || is_beside(name, "-shm");
	if (stat(log->path, &st) == 0 ? st.st_size > 0 : errno != ENOENT)
		return LOG_OK;
	if (!has_rest)
		return LOG_OK;
	return log_error(log, LOG_BROKEN,
	    "is %s, but its -wal or -shm is still there: restore the file that"
	    " belongs to them, or remove them",
	    is_beside(name, "") ? "empty" : "missing");
}

enum log_result
log_file_find(struct log *log, bool may_create)
{
	enum log_result result = look_beside(log);
	struct stat st;
	int fd = -1;

	if (result != LOG_OK)
		return result;
	/* SQLite would create a file that every user may read, and it gives
	   -wal and -shm the mode of the file.  It reports what fails here. */
	if (may_create)
		fd = open(log->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		    0660);
	if (fd >= 0)
		(void)close(fd);
	/* If another file takes its place before it is opened,
	   log_is_replaced() reports it, at worst once too often. */
	if (stat(log->path, &st) == 0) {
		log->device = st.st_dev;
		log->inode = st.st_ino;
	}
	return LOG_OK;
}

bool
log_is_replaced(const struct log *log)
{
	struct stat st;

	if (stat(log->path, &st) != 0) /* events would be lost */
		return log->appends && errno == ENOENT;
	return st.st_dev != log->device || st.st_ino != log->inode;
}
