/*
 * The log as a file: made, found, replaced by another.
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
 * A log is not for every user of the machine to read: SQLite would make it so,
 * and gives -wal and -shm the mode of the file.
 */
static void
make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);

	if (fd >= 0)
		(void)close(fd); /* what fails, SQLite says better */
}

/* Is there a file of this name and ending? */
static bool
is_beside(const char *name, const char *ending)
{
	char path[PATH_MAX + 8];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s%s", name, ending);
	return stat(path, &st) == 0;
}

/*
 * A WAL whose database has gone, or was emptied, may hold the newest events,
 * and SQLite would delete it; and what others have in memory of the old log,
 * they would take for the new one's.  Who makes a log writes its first page
 * before there is a WAL, so look for that one first.
 */
static enum log_result
look_beside(struct log *log)
{
	char name[PATH_MAX];
	bool has_rest;
	struct stat st;

	if (realpath(log->path, name) == NULL) /* not there: no link, then */
		(void)snprintf(name, sizeof(name), "%s", log->path);
	has_rest = is_beside(name, "-wal") || is_beside(name, "-shm");
	if (stat(log->path, &st) == 0 ? st.st_size > 0 : errno != ENOENT)
		return LOG_OK;
	if (!has_rest)
		return LOG_OK;
	return log_error(log, LOG_BROKEN,
	    "is %s, but its -wal or -shm is still there: put the file back"
	    " that belongs to them, or remove them",
	    is_beside(name, "") ? "empty" : "missing");
}

/*
 * Which file it is, before it is opened: another one that takes its place
 * meanwhile is then noticed, at worst one time too often.
 */
static void
note_file(struct log *log)
{
	struct stat st;

	if (stat(log->path, &st) != 0)
		return; /* SQLite says why, or it is opened anew */
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

	if (stat(log->path, &st) != 0) /* what is appended would be lost */
		return log->appends && errno == ENOENT;
	return st.st_dev != log->device || st.st_ino != log->inode;
}
