/*
 * The log as a file: create it, find it, notice that it was replaced.
 *
 * Invariant: all programs find the same -wal and -shm.  SQLite keeps them
 * beside the name that a program opens.  Two programs that open one file by
 * different names, or with a folder of its own each, do not see each other's
 * events, and give the same ids twice.
 */
#include "log.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/text.h"
#include "statement.h"

/* ---- where a log cannot be ---- */

static bool
ends_in(const char *path, const char *ending)
{
	size_t len = strlen(path), n = strlen(ending);

	return len >= n && strcmp(path + len - n, ending) == 0;
}

/* Refuse names that mean something else to SQLite. */
static int
judge_name(const char *path, char why[LOG_WHY_MAX])
{
	static const char *const endings[] = { "-wal", "-shm", "-journal" };

	if (path[0] == '\0' || strcmp(path, ":memory:") == 0) {
		(void)snprintf(why, LOG_WHY_MAX,
		    "stands for a database that no other program can read:"
		    " name a file");
		return -1;
	}
	if (text_begins(text_of(path), "file:")) {
		(void)snprintf(why, LOG_WHY_MAX,
		    "is a URI, which rowcast does not open: give the path of"
		    " the file alone");
		return -1;
	}
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (ends_in(path, endings[i])) {
			(void)snprintf(why, LOG_WHY_MAX,
			    "ends in %s, as files do that SQLite keeps beside"
			    " a database: name the database",
			    endings[i]);
			return -1;
		}
	return 0;
}

#ifdef STATX_MNT_ID

static bool
find_mount(const char *path, uint64_t *mount)
{
	struct statx st;

	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &st) != 0 ||
	    (st.stx_mask & STATX_MNT_ID) == 0)
		return false; /* before Linux 5.8 */
	*mount = st.stx_mnt_id;
	return true;
}

/* Returns whether the file itself is a mount point. */
static bool
is_mounted_alone(const char *path)
{
	char real[PATH_MAX];
	uint64_t file, folder;

	return realpath(path, real) != NULL && find_mount(real, &file) &&
	    find_mount(dirname(real), &folder) && file != folder;
}

#else

static bool
is_mounted_alone(const char *path)
{
	(void)path; /* such mounts are a feature of Linux */
	return false;
}

#endif

int
log_file_judge(const char *path, char why[LOG_WHY_MAX])
{
	struct stat st;

	if (judge_name(path, why) != 0)
		return -1;
	if (stat(path, &st) != 0)
		return 0; /* opening it reports the reason */
	if (S_ISDIR(st.st_mode))
		(void)snprintf(why, LOG_WHY_MAX,
		    "is a folder: name a file in it");
	else if (!S_ISREG(st.st_mode))
		(void)snprintf(why, LOG_WHY_MAX,
		    "is a device, FIFO or socket: name an ordinary file");
	else if (st.st_nlink > 1)
		(void)snprintf(why, LOG_WHY_MAX,
		    "has %ju names (hard links), by which programs do not see"
		    " each other's events: find them with 'find FOLDER"
		    " -samefile FILE', and remove all but one",
		    (uintmax_t)st.st_nlink);
	else if (is_mounted_alone(path))
		(void)snprintf(why, LOG_WHY_MAX,
		    "is mounted as a single file, so that programs outside do"
		    " not see the events stored here: mount its folder"
		    " instead");
	else
		return 0;
	return -1;
}

/* ---- creating and finding it ---- */

/* A WAL whose database is "missing" or "empty". */
#define WAL_IS_LEFT                                                         \
	"is %s, but its -wal or -shm is still there: restore the file that" \
	" belongs to them, or remove them"

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
	return log_error(log, LOG_BROKEN, WAL_IS_LEFT,
	    is_beside(name, "") ? "empty" : "missing");
}

/* Returns the path of the WAL of a file, for the caller to free; NULL if out of
   memory. */
static char *
name_wal(const char *path)
{
	char real[PATH_MAX], *name;

	/* if it does not exist, opening it reports that */
	if (realpath(path, real) == NULL)
		(void)snprintf(real, sizeof(real), "%s", path);
	return asprintf(&name, "%s-wal", real) >= 0 ? name : NULL;
}

enum log_result
log_file_find(struct log *log, bool may_create)
{
	enum log_result result;
	struct stat st;
	int fd = -1;

	if (log_file_judge(log->path, log->why) != 0)
		return LOG_BROKEN;
	if ((result = look_beside(log)) != LOG_OK)
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
	log->wal = name_wal(log->path);
	return log->wal != NULL ? LOG_OK : log_fail(log, SQLITE_NOMEM);
}

bool
log_is_replaced(struct log *log)
{
	struct stat st;

	if (stat(log->path, &st) != 0) /* events would be lost */
		return log->appends && errno == ENOENT;
	if (st.st_dev != log->device || st.st_ino != log->inode)
		return true;
	log->wal_inode = stat(log->wal, &st) == 0 ? st.st_ino : 0;
	return false;
}

int
log_check_wal(const struct log *old, char why[LOG_WHY_MAX])
{
	/* the path may be a link to another folder now */
	char *name = name_wal(old->path);
	struct stat st;
	bool is_old = name != NULL && old->wal_inode != 0 &&
	    stat(name, &st) == 0 && st.st_ino == old->wal_inode &&
	    st.st_size > 0;

	free(name);
	if (!is_old)
		return 0;
	if (stat(old->path, &st) != 0)
		(void)snprintf(why, LOG_WHY_MAX, WAL_IS_LEFT, "missing");
	else
		(void)snprintf(why, LOG_WHY_MAX,
		    "is another file, but its -wal is that of the old one:"
		    " put the old file back, or remove -wal and -shm");
	return -1;
}
