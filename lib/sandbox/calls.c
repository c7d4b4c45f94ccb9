/*
 * Which system calls are allowed: those of a list, by seccomp or pledge.  Other
 * calls fail with ENOSYS, as in a kernel that lacks them, so that a newer libc
 * falls back on an older call.  Calls that must never work fail with EPERM.
 */
#include "private.h"

#if defined(__linux__)

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <unistd.h>

#include "lib/memory.h"

#define TAKES_BYTES 400000 /* by libseccomp, for the longer filter */
#define REFUSED SCMP_ACT_ERRNO(EPERM)

const char sandbox_calls_by[] = "seccomp";

/* By name: not every architecture and libseccomp has all of them. */
static const char *const allowed[] = {
	/* memory */
	"brk", "madvise", "mremap", "munmap",
#ifdef __s390__
	"mmap",
#endif
	/* files, mostly for SQLite */
	"access", "close", "close_range", "dup", "dup2", "dup3", "faccessat",
	"faccessat2", "fallocate", "fchmod", "fchown", "fchown32", "fcntl",
	"fcntl64", "fdatasync", "fstat", "fstat64", "fstatat64", "fsync",
	"ftruncate", "ftruncate64", "getcwd", "getdents64", "_llseek", "lseek",
	"lstat", "lstat64", "newfstatat", "open", "openat", "pread64", "preadv",
	"preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readlink",
	"readlinkat", "readv", "stat", "stat64", "statx", "unlink", "unlinkat",
	"write", "writev",
	/* waiting */
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "eventfd2", "inotify_add_watch", "inotify_init1",
	"inotify_rm_watch", "pipe2", "poll", "ppoll", "ppoll_time64",
	"pselect6", "pselect6_time64", "select", "_newselect", "timerfd_create",
	"timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64",
	/* sockets that exist */
	"accept", "accept4", "getpeername", "getsockname", "getsockopt", "recv",
	"recvfrom", "recvmsg", "send", "sendmsg", "sendto", "setsockopt",
	"shutdown",
	/* time */
	"clock_getres", "clock_getres_time64", "clock_gettime",
	"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
	"gettimeofday", "nanosleep", "time",
	/* itself */
	"exit", "exit_group", "futex", "futex_time64", "getcpu", "getegid",
	"getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getpid",
	"getppid", "getrandom", "getrlimit", "getrusage", "gettid", "getuid",
	"getuid32", "membarrier", "restart_syscall", "rseq", "rt_sigaction",
	"rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "sched_getaffinity", "sched_yield",
	"set_robust_list", "sigaltstack", "sigprocmask", "sigreturn", "sysinfo",
	"ugetrlimit", "umask", "uname"
};

/* Never needed, not even to start. */
static const char *const never[] = { "acct", "add_key", "adjtimex", "bpf",
	"capset", "chroot", "clock_adjtime", "clock_settime", "clone",
	"delete_module", "execve", "execveat", "finit_module", "fork",
	"fsconfig", "fsmount", "fsopen", "fspick", "init_module",
	"io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm",
	"iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl",
	"memfd_create", "memfd_secret", "modify_ldt", "mount", "mount_setattr",
	"move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree",
	"perf_event_open", "personality", "pidfd_getfd", "pidfd_open",
	"pidfd_send_signal", "pivot_root", "process_madvise",
	"process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "reboot",
	"request_key", "setdomainname", "setfsgid", "setfsgid32", "setfsuid",
	"setfsuid32", "setgid", "setgid32", "setgroups", "setgroups32",
	"sethostname", "setns", "setregid", "setregid32", "setresgid",
	"setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32",
	"settimeofday", "setuid", "setuid32", "swapoff", "swapon", "syslog",
	"umount", "umount2", "unshare", "userfaultfd", "vfork" };

/* Needed only to start. */
static const char *const no_longer[] = { "bind", "chmod", "chown", "chown32",
	"fchmodat", "fchownat", "fremovexattr", "fsetxattr", "lchown",
	"lchown32", "link", "linkat", "listen", "lremovexattr", "lsetxattr",
	"mkdir", "mkdirat", "mknod", "mknodat", "prctl", "removexattr",
	"rename", "renameat", "renameat2", "rmdir", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "seccomp", "setrlimit", "setxattr", "symlink",
	"symlinkat", "truncate", "truncate64", "utime", "utimensat", "utimes" };

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* Returns -1 if out of memory: the filter would be incomplete. */
static int
add_rule(scmp_filter_ctx filter, uint32_t action, const char *name,
    const struct scmp_arg_cmp *argument)
{
	int call = seccomp_syscall_resolve_name(name);
	int rc;

	if (call == __NR_SCMP_ERROR)
		return 0;
	rc = seccomp_rule_add_array(filter, action, call, argument != NULL,
	    argument);
	/* EDOM: the architecture lacks the call */
	return rc == 0 || rc == -EDOM ? 0 : -1;
}

static int
add_list(scmp_filter_ctx filter, uint32_t action, const char *const *names,
    size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (add_rule(filter, action, names[i], NULL) != 0)
			return -1;
	return 0;
}

struct condition {
	const char *name;
	struct scmp_arg_cmp allowed, refused;
};

/* Allow a call only if an argument has this value, or lacks this bit. */
#define ONLY(argument, value)                           \
	.allowed = { argument, SCMP_CMP_EQ, value, 0 }, \
	.refused = { argument, SCMP_CMP_NE, value, 0 }
#define WITHOUT(argument, bit)                               \
	.allowed = { argument, SCMP_CMP_MASKED_EQ, bit, 0 }, \
	.refused = { argument, SCMP_CMP_MASKED_EQ, bit, bit }

static int
add_condition(scmp_filter_ctx filter, const struct condition *c)
{
	if (add_rule(filter, SCMP_ACT_ALLOW, c->name, &c->allowed) != 0)
		return -1;
	return add_rule(filter, REFUSED, c->name, &c->refused);
}

/* No memory may become executable.  A process may signal only itself, for
   abort(), and set some modes of descriptors, none of terminals. */
static int
add_conditions(scmp_filter_ctx filter)
{
	const uint64_t self = (uint64_t)getpid();
	const struct condition conditions[] = {
#ifndef __s390__ /* mmap's arguments lie in memory there */
		{ "mmap", WITHOUT(2, PROT_EXEC) },
		{ "mmap2", WITHOUT(2, PROT_EXEC) },
#endif
		{ "mprotect", WITHOUT(2, PROT_EXEC) },
		{ "kill", ONLY(0, self) },
		{ "tkill", ONLY(0, self) },
		{ "tgkill", ONLY(0, self) },
		{ "prlimit64", ONLY(0, 0) },
	};
	const struct scmp_arg_cmp ioctls[] = { { 1, SCMP_CMP_EQ, FIONBIO, 0 },
		{ 1, SCMP_CMP_EQ, FIONREAD, 0 } };

	for (size_t i = 0; i < N(conditions); i++)
		if (add_condition(filter, &conditions[i]) != 0)
			return -1;
	for (size_t i = 0; i < N(ioctls); i++)
		if (add_rule(filter, SCMP_ACT_ALLOW, "ioctl", &ioctls[i]) != 0)
			return -1;
	return 0;
}

/* Pairs of streams, for libfcgi; new sockets and connections only for the
   system's log. */
static int
add_sockets(scmp_filter_ctx filter, bool uses_syslog)
{
	const struct scmp_arg_cmp stream[] = {
		{ 0, SCMP_CMP_EQ, AF_UNIX, 0 },
		{ 1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM },
	};
	const struct condition local = { "socket", ONLY(0, AF_UNIX) };
	int pair = seccomp_syscall_resolve_name("socketpair");

	if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, pair, 2, stream) !=
	    0)
		return -1;
	if ((uses_syslog ? add_condition(filter, &local) :
			   add_rule(filter, REFUSED, "socket", NULL)) != 0)
		return -1;
	return add_rule(filter, uses_syslog ? SCMP_ACT_ALLOW : REFUSED,
	    "connect", NULL);
}

static int
add_all(scmp_filter_ctx filter, const struct sandbox_options *o)
{
	if (add_list(filter, SCMP_ACT_ALLOW, allowed, N(allowed)) != 0 ||
	    add_list(filter, REFUSED, never, N(never)) != 0 ||
	    add_list(filter, REFUSED, no_longer, N(no_longer)) != 0 ||
	    add_conditions(filter) != 0)
		return -1;
	return add_sockets(filter, o->uses_syslog);
}

/* Returns false if the kernel does not support it. */
static bool
load(scmp_filter_ctx filter)
{
	/* older kernels would slow down the whole process, to protect programs
	   that run foreign code */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	/* the default would end the process */
	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, REFUSED) != 0)
		return false;
#ifdef SANITIZED_BUILD /* sanitizers examine the process from another one */
	return false;
#else
	return seccomp_load(filter) == 0;
#endif
}

int
sandbox_calls_confine(const struct sandbox_options *o, bool *is_done)
{
	scmp_filter_ctx filter;
	int rc;

	/* libseccomp crashes when out of memory (2.5.4, seccomp_load()) */
	if (!memory_is_allocatable(TAKES_BYTES))
		return -1;
	filter =
	    seccomp_init(o == NULL ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL)
		return -1;
	rc = o == NULL ? add_list(filter, REFUSED, never, N(never)) :
			 add_all(filter, o);
	if (rc == 0)
		*is_done = load(filter);
	seccomp_release(filter);
	return rc;
}

#elif defined(__OpenBSD__)

#include <unistd.h>

const char sandbox_calls_by[] = "pledge";

/*
 * unix, inet: accept() on the listening socket.  fattr, chown: SQLite, on files
 * that it creates.  error: a refused call fails instead of ending the process.
 * syslog() needs no socket there.
 */
int
sandbox_calls_confine(const struct sandbox_options *o, bool *is_done)
{
	if (o == NULL) /* io_uring is Linux's */
		return 0;
	*is_done = pledge("stdio rpath wpath cpath fattr chown flock unix inet"
			  " error",
		       NULL) == 0;
	return 0;
}

#else

const char sandbox_calls_by[] = "calls";

int
sandbox_calls_confine(const struct sandbox_options *o, bool *is_done)
{
	(void)o;
	(void)is_done;
	return 0;
}

#endif
