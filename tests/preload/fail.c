/*
 * fail: a preloaded library that makes system calls and allocations fail.
 *
 *   LD_PRELOAD=fail.so FAIL=CLASS[,CLASS]… [FAIL_…=…] PROGRAM…
 *
 * Classes: memory; open, stat, read, write, sync and map, of files whose path
 * contains FAIL_FILES; accept, recv and send, of sockets.  The defaults are in
 * brackets:
 *
 *   FAIL_AT=N      the first call to fail, of these classes (1); 0: none
 *   FAIL_COUNT=N   the number of calls that fail (1); 0: all from there on
 *   FAIL_SHARE=N   instead, N of 1,000 calls fail at random
 *   FAIL_SEED=N    the seed of the random numbers (1)
 *   FAIL_ERRNO=N   the error number (a usual one of the class)
 *   FAIL_SHORT=1   calls that move more than a byte do half of it instead
 *   FAIL_FILES=S   a part of the paths that are meant (".db")
 *   FAIL_SPARE=S,… allocations of libraries whose path contains one of these
 *                  do not fail
 *   FAIL_STATE=F   a file of 64 bytes, "1 CALLS FAILED": while it begins with
 *                  "0", calls are not counted and do not fail
 *
 * The state is mapped at the start of the program, before its sandbox begins.
 */

/* With it, glibc's headers define some of these functions inline. */
#undef _FORTIFY_SOURCE
/* With these, open() and open64() would be one function. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

/* The functions are glibc's, and so are the names that its headers give.
   NOLINTBEGIN(bugprone-reserved-identifier, bugprone-macro-parentheses,
   readability-inconsistent-declaration-parameter-name) */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_BYTES 64
#define FDS_MAX 65536

enum class {
	MEMORY = 1,
	OPEN = 2,
	STAT = 4,
	READ = 8,
	WRITE = 16,
	SYNC = 32,
	MAP = 64,
	ACCEPT = 128,
	RECV = 256,
	SEND = 512,
};

static const struct {
	const char *name;
	unsigned class;
	int error;
} classes[] = {
	{ "memory", MEMORY, ENOMEM },
	{ "open", OPEN, EIO },
	{ "stat", STAT, EIO },
	{ "read", READ, EIO },
	{ "write", WRITE, EIO },
	{ "sync", SYNC, EIO },
	{ "map", MAP, ENOMEM },
	{ "accept", ACCEPT, EMFILE },
	{ "recv", RECV, ECONNRESET },
	{ "send", SEND, ECONNRESET },
};

#define CLASSES (sizeof(classes) / sizeof(classes[0]))

static struct {
	bool is_ready;
	unsigned which;
	uint64_t at, count, share, seed;
	int error;
	bool is_short;
	const char *files;
	const char *spare;
	char *state; /* mapped */
	uint64_t calls, failed;
	bool is_file[FDS_MAX];
} fail;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static uint64_t
number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text == NULL ? fallback : strtoull(text, NULL, 10);
}

__attribute__((constructor)) static void
start(void)
{
	const char *which = getenv("FAIL"), *state = getenv("FAIL_STATE");
	int fd;

	if (which == NULL)
		return;
	for (size_t i = 0; i < CLASSES; i++)
		if (strstr(which, classes[i].name) != NULL)
			fail.which |= classes[i].class;
	fail.share = number("FAIL_SHARE", 0);
	fail.at = number("FAIL_AT", 1);
	fail.count = number("FAIL_COUNT", 1);
	fail.seed = number("FAIL_SEED", 1) * 2654435761U + 1;
	fail.error = (int)number("FAIL_ERRNO", 0);
	fail.is_short = number("FAIL_SHORT", 0) != 0;
	fail.files = getenv("FAIL_FILES");
	if (fail.files == NULL)
		fail.files = ".db";
	fail.spare = getenv("FAIL_SPARE");
	if (state != NULL) {
		fd = open(state, O_RDWR | O_CLOEXEC);
		fail.state = mmap(NULL, STATE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
		if (fail.state == MAP_FAILED) {
			perror("fail: FAIL_STATE");
			_exit(99);
		}
		(void)close(fd);
	}
	fail.is_ready = true;
}

/* Writes digits by hand: snprintf() may allocate. */
static void
show(char *at, uint64_t n)
{
	for (int i = 19; i >= 0; i--, n /= 10)
		at[i] = (char)('0' + n % 10);
}

static bool
is_chosen(void)
{
	if (fail.share > 0) {
		fail.seed = fail.seed * 6364136223846793005U + 1;
		return (fail.seed >> 33) % 1000 < fail.share;
	}
	return fail.at > 0 && fail.calls >= fail.at &&
	    (fail.count == 0 || fail.calls < fail.at + fail.count);
}

/* Counts a call of this class; returns whether it has to fail. */
static bool
fails(unsigned class)
{
	if (!fail.is_ready || !(fail.which & class) ||
	    (fail.state != NULL && fail.state[0] == '0'))
		return false;
	fail.calls++;
	if (fail.state != NULL)
		show(fail.state + 2, fail.calls);
	if (!is_chosen())
		return false;
	fail.failed++;
	if (fail.state != NULL)
		show(fail.state + 23, fail.failed);
	errno = fail.error;
	for (size_t i = 0; fail.error == 0 && i < CLASSES; i++)
		if (classes[i].class == class)
			errno = classes[i].error;
	return true;
}

/* ---- memory ---- */

static bool
is_spared(const char *library)
{
	const char *part = fail.spare;

	while (part != NULL && *part != '\0') {
		size_t len = strcspn(part, ",");

		if (memmem(library, strlen(library), part, len) != NULL)
			return true;
		part += len + (part[len] == ',' ? 1 : 0);
	}
	return false;
}

static bool
refuses(const void *caller)
{
	Dl_info info;

	if (!fail.is_ready || !(fail.which & MEMORY))
		return false;
	if (fail.spare != NULL && dladdr(caller, &info) != 0 &&
	    is_spared(info.dli_fname))
		return false;
	return fails(MEMORY);
}

#define CALLER __builtin_return_address(0)

void *
malloc(size_t size)
{
	return refuses(CALLER) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return refuses(CALLER) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return refuses(CALLER) ? NULL : __libc_realloc(p, size);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return refuses(CALLER) ? NULL : __libc_realloc(p, total);
}

/* ---- files ---- */

/* Returns the function that a wrapper replaces. */
#define NEXT(name)                     \
	static __typeof__(&name) next; \
	if (next == NULL)              \
	next = (__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name)

static bool
is_ours(const char *path)
{
	return fail.is_ready && strstr(path, fail.files) != NULL;
}

static bool
is_file(int fd)
{
	return fd >= 0 && fd < FDS_MAX && fail.is_file[fd];
}

static bool
is_socket(int fd)
{
	struct stat st;

	return syscall(SYS_fstat, fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int
opened(int fd, const char *path)
{
	if (fd >= 0 && fd < FDS_MAX)
		fail.is_file[fd] = is_ours(path);
	return fd;
}

static mode_t
mode_of(int flags, va_list args)
{
	return flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
}

#define DEFINE_OPEN(name)                                                     \
	int name(const char *path, int flags, ...)                            \
	{                                                                     \
		va_list args;                                                 \
		mode_t mode;                                                  \
                                                                              \
		va_start(args, flags);                                        \
		mode = mode_of(flags, args);                                  \
		va_end(args);                                                 \
		if (is_ours(path) && fails(OPEN))                             \
			return -1;                                            \
		return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags, \
				  mode),                                      \
		    path);                                                    \
	}
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

int
close(int fd)
{
	if (fd >= 0 && fd < FDS_MAX)
		fail.is_file[fd] = false;
	return (int)syscall(SYS_close, fd);
}

#define DEFINE_STAT(name, type)                                            \
	int name(const char *path, type *st)                               \
	{                                                                  \
		NEXT(name);                                                \
		return is_ours(path) && fails(STAT) ? -1 : next(path, st); \
	}
DEFINE_STAT(stat, struct stat)
DEFINE_STAT(stat64, struct stat64)
DEFINE_STAT(lstat, struct stat)
DEFINE_STAT(lstat64, struct stat64)

int
fstat64(int fd, struct stat64 *st)
{
	NEXT(fstat64);
	return is_file(fd) && fails(STAT) ? -1 : next(fd, st);
}

/*
 * Decides about a call that moves bytes: fail, do half (sets *len), or do all.
 */
static bool
breaks(unsigned class, size_t *len)
{
	if (!fails(class))
		return false;
	if (!fail.is_short || *len < 2)
		return true;
	*len /= 2;
	return false;
}

ssize_t
pread64(int fd, void *bytes, size_t len, off64_t at)
{
	if (is_file(fd) && breaks(READ, &len))
		return -1;
	return syscall(SYS_pread64, fd, bytes, len, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	if (is_file(fd) && breaks(WRITE, &len))
		return -1;
	return syscall(SYS_pwrite64, fd, bytes, len, at);
}

int
ftruncate64(int fd, off64_t len)
{
	if (is_file(fd) && fails(WRITE))
		return -1;
	return (int)syscall(SYS_ftruncate, fd, len);
}

int
fsync(int fd)
{
	return is_file(fd) && fails(SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	if (is_file(fd) && fails(SYNC))
		return -1;
	return (int)syscall(SYS_fdatasync, fd);
}

void *
mmap64(void *at, size_t len, int prot, int flags, int fd, off64_t from)
{
	NEXT(mmap64);
	return is_file(fd) && fails(MAP) ? MAP_FAILED :
					   next(at, len, prot, flags, fd, from);
}

/* ---- sockets, and the same calls on files ---- */

ssize_t
read(int fd, void *bytes, size_t len)
{
	if (is_file(fd) ?
		breaks(READ, &len) :
		fail.which & RECV && is_socket(fd) && breaks(RECV, &len))
		return -1;
	return syscall(SYS_read, fd, bytes, len);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	if (is_file(fd) ?
		breaks(WRITE, &len) :
		fail.which & SEND && is_socket(fd) && breaks(SEND, &len))
		return -1;
	return syscall(SYS_write, fd, bytes, len);
}

ssize_t
recv(int fd, void *bytes, size_t len, int flags)
{
	if (breaks(RECV, &len))
		return -1;
	return syscall(SYS_recvfrom, fd, bytes, len, flags, NULL, NULL);
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	if (breaks(SEND, &len))
		return -1;
	return syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
}

/* Halves a list: half of its pieces, and half of the last one of these. */
static int
halve(const struct iovec *pieces, int n, struct iovec *fewer)
{
	n = (n + 1) / 2;
	memcpy(fewer, pieces, (size_t)n * sizeof(*pieces));
	fewer[n - 1].iov_len = (fewer[n - 1].iov_len + 1) / 2;
	return n;
}

ssize_t
writev(int fd, const struct iovec *pieces, int n)
{
	struct iovec fewer[IOV_MAX];

	if (fail.which & SEND && is_socket(fd) && fails(SEND)) {
		if (!fail.is_short || n < 1)
			return -1;
		n = halve(pieces, n, fewer);
		pieces = fewer;
	}
	return syscall(SYS_writev, fd, pieces, n);
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct iovec fewer[IOV_MAX];
	struct msghdr half = *message;

	if (fails(SEND)) {
		if (!fail.is_short || half.msg_iovlen < 1)
			return -1;
		half.msg_iovlen =
		    (size_t)halve(half.msg_iov, (int)half.msg_iovlen, fewer);
		half.msg_iov = fewer;
	}
	return syscall(SYS_sendmsg, fd, &half, flags);
}

/* In glibc the address is a union. */
int
accept4(int fd, __SOCKADDR_ARG address, socklen_t *len, int flags)
{
	if (fails(ACCEPT))
		return -1;
	return (int)syscall(SYS_accept4, fd, address.__sockaddr__, len, flags);
}

/* NOLINTEND(bugprone-reserved-identifier, bugprone-macro-parentheses,
   readability-inconsistent-declaration-parameter-name) */
