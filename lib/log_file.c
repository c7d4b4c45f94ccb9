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

#include "log_sqlite.h"

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
