/*
 * escape: a preloaded library that tries, from inside a program, what an
 * attacker would try who has taken the program over.
 *
 *   usage: LD_PRELOAD=escape.so ESCAPE_OUT=FILE PROGRAM ...
 *
 * Begins when the program waits for requests, or reads its only one.  Writes to
 * FILE, which is open by then, a line "NAME ok" or "NAME ERROR" for each
 * attempt, and "over" at the end.  Removes what an attempt has made.
 */
/* With it, glibc's headers define some of these functions inline. */
#undef _FORTIFY_SOURCE

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PAGE 4096

static int out = -1;
static int tcp = -1; /* not connected */

/* A path in the folder of the log (ESCAPE_FOLDER); a file "precious" is beside
   the folder. */
static const char *
in(const char *folder, const char *name)
{
	static char path[2][PAGE];
	static int turn;

	turn = !turn;
	(void)snprintf(path[turn], PAGE, "%s/%s", folder, name);
	return path[turn];
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("ESCAPE_OUT");
	const char *folder = getenv("ESCAPE_FOLDER");

	if (path == NULL || folder == NULL)
		return;
	out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)mkdir(in(folder, "escape.d"), 0700);
}

static void
say(const char *name, long result)
{
	const char *error = strerrorname_np(errno);

	if (result >= 0)
		error = "ok";
	dprintf(out, "%s %s\n", name, error != NULL ? error : "?");
}

static void
say_opened(const char *name, int fd)
{
	say(name, fd);
	if (fd >= 0)
		(void)close(fd);
}

static void
try_processes(void)
{
	char *const none[] = { NULL };
	long pid;

	say("execve", execve("/nowhere", none, none));
	say("execveat", syscall(SYS_execveat, -1, "/nowhere", none, none, 0));
	pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		_exit(0);
	say("clone", pid);
	say("clone3", syscall(SYS_clone3, NULL, 0));
	say("ptrace", ptrace(PTRACE_CONT, 0, NULL, NULL));
	say("process_vm_readv",
	    syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0));
	say("kill-group", kill(0, 0));
	say("kill-self", kill(getpid(), 0));
	say("setuid", setuid(getuid()));
	say("unshare", syscall(SYS_unshare, 0));
	say("setns", syscall(SYS_setns, -1, 0));
	say("personality", syscall(SYS_personality, 0xffffffff));
	say("prctl", prctl(PR_GET_DUMPABLE));
}

/* Limits of resources, as they are. */
static void
try_limits(void)
{
	struct rlimit limit;

	say("limits-read", getrlimit(RLIMIT_CORE, &limit));
	say("limits-change",
	    syscall(SYS_prlimit64, 0, RLIMIT_CORE, &(uint64_t[2]){ 0, 0 }, 0));
}

static void
try_kernel(void)
{
	say("io_uring_setup", syscall(SYS_io_uring_setup, 0, NULL));
	say("bpf", syscall(SYS_bpf, 0, NULL, 0));
	say("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	say("perf_event_open",
	    syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	say("userfaultfd", syscall(SYS_userfaultfd, -1));
	say("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
	say("mount", syscall(SYS_mount, NULL, NULL, NULL, 0, NULL));
	say("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	say("unknown", syscall(100000));
}

static void *
map(int protection)
{
	/* cppcheck-suppress invalidFunctionArg */
	return mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
try_memory(void)
{
	void *data = map(PROT_READ | PROT_WRITE);
	void *code = map(PROT_READ | PROT_EXEC);
	uint32_t lock = 0;

#ifdef __i386__ /* the arguments of the older call lie in memory */
	if (code == MAP_FAILED)
		code = (void *)syscall(SYS_mmap,
		    &(long[6]){ 0, PAGE, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 });
#endif
	say("mmap-code", code == MAP_FAILED ? -1 : 0);
	say("mmap-data", data == MAP_FAILED ? -1 : 0);
	say("mprotect-code", mprotect(data, PAGE, PROT_READ | PROT_EXEC));
	say("mprotect-data", mprotect(data, PAGE, PROT_READ));
	say_opened("memfd_create", (int)syscall(SYS_memfd_create, "x", 0));
	say("futex-priority",
	    syscall(SYS_futex, &lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
}

/* Signals on input, to this process or to others. */
static void
try_signals(int fd)
{
	const struct f_owner_ex owner = { F_OWNER_PID, getpid() };
	int self = getpid(), on = 1;

	say("fcntl-setown", fcntl(fd, F_SETOWN, self));
	say("fcntl-setown-ex", fcntl(fd, F_SETOWN_EX, &owner));
	say("fcntl-setsig", fcntl(fd, F_SETSIG, SIGURG));
	say("fcntl-async", fcntl(fd, F_SETFL, O_ASYNC));
	say("ioctl-async", ioctl(fd, FIOASYNC, &on));
	say("ioctl-setown", ioctl(fd, FIOSETOWN, &self));
	say("ioctl-group", ioctl(fd, SIOCSPGRP, &self));
	say("fcntl-nonblock", fcntl(fd, F_SETFL, O_NONBLOCK));
}

static void
try_descriptors(int fd)
{
	int pipes[2] = { -1, -1 };
	int on = 1;

	try_signals(fd);
	say("setsockopt",
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	say("pipe-packets", pipe2(pipes, O_DIRECT));
	say("pipe", pipe2(pipes, O_CLOEXEC));
	say("fcntl-pipe-size", fcntl(pipes[0], F_SETPIPE_SZ, PAGE));
}

/* The address is one that nothing listens on. */
static void
try_fast_open(void)
{
	const struct sockaddr_in nobody = { .sin_family = AF_INET,
		.sin_port = htons(1),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	say("connect-fast",
	    sendto(tcp, "x", 1, MSG_FASTOPEN, (const void *)&nobody,
		sizeof(nobody)));
}

static void
try_sockets(void)
{
	const struct sockaddr_un nobody = { AF_UNIX, "/nowhere" };
	int pair[2] = { -1, -1 };

	say_opened("socket-inet", socket(AF_INET, SOCK_STREAM, 0));
	say_opened("socket-inet6", socket(AF_INET6, SOCK_DGRAM, 0));
	say_opened("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	say_opened("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	say("pair-datagram", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	say("connect", syscall(SYS_connect, -1, &nobody, sizeof(nobody)));
	say("bind", syscall(SYS_bind, -1, &nobody, sizeof(nobody)));
	say("listen", syscall(SYS_listen, -1, 1));
	say("pair-stream", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	say("accept", accept4(pair[0], NULL, NULL, 0));
	try_fast_open();
	try_descriptors(pair[0]);
}

static void
make(const char *name, const char *path, mode_t mode)
{
	say_opened(name, open(path, O_RDWR | O_CREAT | O_EXCL, mode));
}

/* Modes and owners of new files; the path is free, and stays so. */
static void
try_modes(const char *folder, const char *path)
{
	int fd;

	make("make-setuid", path, 04700);
	(void)unlink(path);
	make("make-writable", path, 0666);
	(void)unlink(path);
	make("make-executable", path, 0755);
	(void)unlink(path);
	say_opened("make-nameless", open(folder, O_RDWR | O_TMPFILE, 0600));
	fd = open(path, O_RDWR | O_CREAT, 0600);
	say("fchmod-setuid", fchmod(fd, 06777));
	say("fchmod-writable", fchmod(fd, 0666));
	say("fchmod-readable", fchmod(fd, 0644));
	say("fchmod-group", fchmod(fd, 0660));
	say("fchown", fchown(fd, getuid(), getgid()));
	say("fcntl-lease", fcntl(fd, F_SETLEASE, F_WRLCK));
	(void)close(fd);
	(void)unlink(path);
}

static void
try_files(void)
{
	const char *folder = getenv("ESCAPE_FOLDER");

	if (folder == NULL)
		return;
	say_opened("read-passwd", open("/etc/passwd", O_RDONLY));
	say_opened("read-environ", open("/proc/self/environ", O_RDONLY));
	say_opened("list-root", open("/", O_RDONLY | O_DIRECTORY));
	say_opened("list-folder", open(folder, O_RDONLY | O_DIRECTORY));
	say_opened("read-beside", open(in(folder, "../precious"), O_RDONLY));
	say_opened("write-beside",
	    open(in(folder, "../precious"), O_WRONLY | O_TRUNC));
	say("remove-beside", unlink(in(folder, "../precious")));
	make("make-beside", in(folder, "../made"), 0600);
	try_modes(folder, in(folder, "escape"));
	make("make", in(folder, "escape"), 0600);
	say("rename", rename(in(folder, "escape"), in(folder, "moved")));
	(void)rename(in(folder, "moved"), in(folder, "escape"));
	say("link", link(in(folder, "escape"), in(folder, "linked")));
	(void)unlink(in(folder, "linked"));
	say("chmod", chmod(in(folder, "escape"), 0700));
	say("remove", unlink(in(folder, "escape")));
	say("symlink", symlink("/etc/passwd", in(folder, "escape")));
	(void)unlink(in(folder, "escape"));
	say("mkdir", mkdir(in(folder, "escape"), 0700));
	(void)rmdir(in(folder, "escape"));
	say("rmdir", unlinkat(AT_FDCWD, in(folder, "escape.d"), AT_REMOVEDIR));
}

static void
try_all(void)
{
	int saved_errno = errno;

	if (out < 0)
		return;
	try_processes();
	try_limits();
	try_kernel();
	try_memory();
	try_sockets();
	try_files();
	dprintf(out, "over\n");
	(void)close(out);
	out = -1;
	errno = saved_errno;
}

/* ---- when ---- */

/* The functions are glibc's, and so are the names that its headers give.
   NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

static void *
next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	return found;
}

int
epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	int (*real)(int, struct epoll_event *, int, int);

	*(void **)&real = next("epoll_wait");
	try_all();
	return real(fd, events, n, timeout);
}

int
epoll_pwait(int fd, struct epoll_event *events, int n, int timeout,
    const sigset_t *mask)
{
	int (*real)(int, struct epoll_event *, int, int, const sigset_t *);

	*(void **)&real = next("epoll_pwait");
	try_all();
	return real(fd, events, n, timeout, mask);
}

/* The plain CGI publisher: its body. */
ssize_t
read(int fd, void *bytes, size_t n)
{
	ssize_t (*real)(int, void *, size_t);

	*(void **)&real = next("read");
	if (fd == STDIN_FILENO)
		try_all();
	return real(fd, bytes, n);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
