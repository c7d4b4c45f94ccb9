/*
 * journal: a preloaded library that records, in order over all processes, what
 * they do to the files of a log and what they send to clients.
 *
 *   LD_PRELOAD=journal.so JOURNAL=FILE JOURNAL_DB=LOG PROGRAM…
 *
 * A record is appended after its call, by one write: if a call of one process
 * happens before a call of another, so do their records.
 *
 *   JOURNAL_HOLD=F  while F exists, a sync of the WAL waits; F.held is created
 *                   when one does
 */
/* With these, open() and open64() would be one function. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#include "journal.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* NOLINTBEGIN(bugprone-macro-parentheses,
   readability-inconsistent-declaration-parameter-name): glibc's */

#define FDS_MAX 4096
#define OWN_FD 3000 /* or what there is */

static struct {
	bool is_on;
	int fd;
	char db[PATH_MAX];
	size_t db_len;
	const char *hold;
	uint8_t files[FDS_MAX]; /* 1 + enum journal_file */
} journal;

__attribute__((constructor)) static void
start(void)
{
	const char *path = getenv("JOURNAL"), *db = getenv("JOURNAL_DB");
	int fd;

	if (path == NULL || db == NULL)
		return;
	(void)snprintf(journal.db, sizeof(journal.db), "%s", db);
	journal.db_len = strlen(journal.db);
	journal.hold = getenv("JOURNAL_HOLD");
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	journal.fd = fcntl(fd, F_DUPFD_CLOEXEC, OWN_FD);
	if (journal.fd < 0)
		journal.fd = fcntl(fd, F_DUPFD_CLOEXEC, 200);
	if (journal.fd < 0) {
		perror("journal");
		_exit(99);
	}
	(void)close(fd);
	journal.is_on = true;
}

static void
put(enum journal_op op, enum journal_file file, uint64_t offset,
    const void *bytes, size_t len)
{
	struct journal_record r = { .op = (uint8_t)op,
		.file = (uint8_t)file,
		.len = (uint32_t)len,
		.offset = offset };
	struct iovec pieces[] = { { &r, sizeof(r) }, { (void *)bytes, len } };
	int saved = errno;

	if (syscall(SYS_writev, journal.fd, pieces, 2) !=
	    (long)(sizeof(r) + len))
		abort();
	errno = saved;
}

static enum journal_file
file_of(const char *path)
{
	static const char *const names[] = { "", "-wal", "-journal", "-shm" };
	size_t len = strlen(path);

	if (!journal.is_on)
		return JOURNAL_NO_FILE;
	if (len < journal.db_len && strncmp(path, journal.db, len) == 0 &&
	    strrchr(journal.db, '/') == journal.db + len)
		return JOURNAL_FOLDER;
	if (strncmp(path, journal.db, journal.db_len) != 0)
		return JOURNAL_NO_FILE;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(path + journal.db_len, names[i]) == 0)
			return (enum journal_file)i;
	return JOURNAL_NO_FILE;
}

static enum journal_file
file(int fd)
{
	if (fd < 0 || fd >= FDS_MAX || journal.files[fd] == 0)
		return JOURNAL_NO_FILE;
	return (enum journal_file)(journal.files[fd] - 1);
}

static int
open_file(const char *path, int flags, mode_t mode)
{
	enum journal_file f = file_of(path);
	struct stat st;
	bool was_there = f == JOURNAL_NO_FILE || stat(path, &st) == 0;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);

	if (fd >= 0 && fd < FDS_MAX)
		journal.files[fd] = f == JOURNAL_NO_FILE ? 0 : (uint8_t)(f + 1);
	if (fd >= 0 && !was_there && f < JOURNAL_SHM)
		put(JOURNAL_CREATE, f, 0, NULL, 0);
	return fd;
}

#define DEFINE_OPEN(name)                                 \
	int name(const char *path, int flags, ...)        \
	{                                                 \
		mode_t mode = 0;                          \
		va_list args;                             \
                                                          \
		va_start(args, flags);                    \
		if (flags & O_CREAT)                      \
			mode = (mode_t)va_arg(args, int); \
		va_end(args);                             \
		return open_file(path, flags, mode);      \
	}
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

int
close(int fd)
{
	if (fd >= 0 && fd < FDS_MAX)
		journal.files[fd] = 0;
	return (int)syscall(SYS_close, fd);
}

int
unlink(const char *path)
{
	enum journal_file f = file_of(path);
	int rc = (int)syscall(SYS_unlink, path);

	if (rc == 0 && f < JOURNAL_SHM)
		put(JOURNAL_UNLINK, f, 0, NULL, 0);
	return rc;
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	enum journal_file f = file(fd);
	ssize_t n = syscall(SYS_pwrite64, fd, bytes, len, at);

	if (n > 0 && f < JOURNAL_SHM)
		put(JOURNAL_WRITE, f, (uint64_t)at, bytes, (size_t)n);
	return n;
}

int
ftruncate64(int fd, off64_t len)
{
	enum journal_file f = file(fd);
	int rc = (int)syscall(SYS_ftruncate, fd, len);

	if (rc == 0 && f < JOURNAL_SHM)
		put(JOURNAL_TRUNCATE, f, (uint64_t)len, NULL, 0);
	return rc;
}

static void
hold(enum journal_file f)
{
	char held[PATH_MAX];

	if (journal.hold == NULL || f != JOURNAL_WAL)
		return;
	(void)snprintf(held, sizeof(held), "%s.held", journal.hold);
	while (access(journal.hold, F_OK) == 0) {
		(void)syscall(SYS_close,
		    syscall(SYS_openat, AT_FDCWD, held, O_CREAT | O_WRONLY,
			0666));
		(void)usleep(2000);
	}
}

static int
sync_file(int fd, long call)
{
	enum journal_file f = file(fd);
	int rc;

	hold(f);
	rc = (int)syscall(call, fd);
	if (rc == 0 && f != JOURNAL_NO_FILE && f != JOURNAL_SHM)
		put(JOURNAL_SYNC, f, 0, NULL, 0);
	return rc;
}

int
fsync(int fd)
{
	return sync_file(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
	return sync_file(fd, SYS_fdatasync);
}

/* Records what is sent to a client, by a socket or standard output. */
ssize_t
write(int fd, const void *bytes, size_t len)
{
	ssize_t n = syscall(SYS_write, fd, bytes, len);

	if (journal.is_on && n > 0 && fd != STDERR_FILENO &&
	    file(fd) == JOURNAL_NO_FILE)
		put(JOURNAL_SAID, JOURNAL_NO_FILE, 0, bytes, (size_t)n);
	return n;
}

/* NOLINTEND(bugprone-macro-parentheses,
   readability-inconsistent-declaration-parameter-name) */
