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

/*
 * SQLite would create a file that every user may read, and gives -wal and -shm
 * the mode of the file: create it with mode 0660 instead.
 */
static void
make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);

	if (fd >= 0)
		(void)close(fd); /* SQLite reports what failed */
}

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

	if (realpath(log->path, name) ==
	    NULL) /* it does not exist, so it is no link */
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

/* Note which file it is before it is opened.  If another one takes its place in
   between, log_is_replaced() reports it, at worst once too often. */
static void
note_file(struct log *log)
{
	struct stat st;

	if (stat(log->path, &st) != 0)
		return; /* SQLite reports it, or the log is reopened */
	log->device = st.st_dev;
	log->inode = st.st_ino;
}

enum log_result
log_file_find(struct log *log, bool may_create)
{
	enum log_result result = look_beside(log);

	if (result != LOG_OK)
		return result;
	if (may_create)
		make_file(log->path);
	note_file(log);
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
