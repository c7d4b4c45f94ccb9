/*
 * Which calls: those of a list, by seccomp or pledge.  Any other fails with
 * ENOSYS, as in a kernel that does not have it, so that a newer libc falls back
 * on an older call.  What must never work is named, too: EPERM.
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

#define TAKES_BYTES 400000 /* libseccomp, for the longer filter */

const char sandbox_calls_by[] = "seccomp";

/* By name, as not every architecture and libseccomp has all of them. */
static const char *const allowed[] = {
	/* memory */
	"brk", "madvise", "mremap", "munmap",
	/* files, SQLite's mostly */
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
	/* sockets that are there */
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

/* What no program of ours ever needs, not even to start. */
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

/* What is over with the start. */
static const char *const no_longer[] = { "bind", "chmod", "chown", "chown32",
	"fchmodat", "fchownat", "fremovexattr", "fsetxattr", "lchown",
	"lchown32", "link", "linkat", "listen", "lremovexattr", "lsetxattr",
	"mkdir", "mkdirat", "mknod", "mknodat", "prctl", "removexattr",
	"rename", "renameat", "renameat2", "rmdir", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "seccomp", "setrlimit", "setxattr", "symlink",
	"symlinkat", "truncate", "truncate64", "utime", "utimensat", "utimes" };

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* -1: out of memory, so that the filter would be another one */
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
	return rc == 0 || rc == -EDOM ? 0 : -1; /* EDOM: not on this machine */
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

/* Allow a call with this value of an argument.  Other rules may allow more. */
static int
allow_value(scmp_filter_ctx filter, const char *name, unsigned argument,
    uint64_t value)
{
	const struct scmp_arg_cmp is = { argument, SCMP_CMP_EQ, value, 0 };

	return add_rule(filter, SCMP_ACT_ALLOW, name, &is);
}

/* Allow a call with this value only. */
static int
allow_only(scmp_filter_ctx filter, const char *name, unsigned argument,
    uint64_t value)
{
	const struct scmp_arg_cmp is_not = { argument, SCMP_CMP_NE, value, 0 };

	if (allow_value(filter, name, argument, value) != 0)
		return -1;
	return add_rule(filter, SCMP_ACT_ERRNO(EPERM), name, &is_not);
}

/* Allow a call without a bit. */
static int
allow_without(scmp_filter_ctx filter, const char *name, unsigned argument,
    uint64_t bit)
{
	const struct scmp_arg_cmp is_clear = { argument, SCMP_CMP_MASKED_EQ,
		bit, 0 };
	const struct scmp_arg_cmp is_set = { argument, SCMP_CMP_MASKED_EQ, bit,
		bit };

	if (add_rule(filter, SCMP_ACT_ALLOW, name, &is_clear) != 0)
		return -1;
	return add_rule(filter, SCMP_ACT_ERRNO(EPERM), name, &is_set);
}

/* No memory becomes code. */
static int
add_memory(scmp_filter_ctx filter)
{
#ifdef __s390__ /* the arguments of mmap lie in memory there */
	if (add_rule(filter, SCMP_ACT_ALLOW, "mmap", NULL) != 0)
		return -1;
#else
	if (allow_without(filter, "mmap", 2, PROT_EXEC) != 0 ||
	    allow_without(filter, "mmap2", 2, PROT_EXEC) != 0)
		return -1;
#endif
	return allow_without(filter, "mprotect", 2, PROT_EXEC);
}

/* Signals to itself, for abort(); some settings of descriptors, none of
   terminals. */
static int
add_own(scmp_filter_ctx filter)
{
	static const char *const signals[] = { "kill", "tkill", "tgkill" };
	const uint64_t self = (uint64_t)getpid();

	for (size_t i = 0; i < N(signals); i++)
		if (allow_only(filter, signals[i], 0, self) != 0)
			return -1;
	if (allow_value(filter, "ioctl", 1, FIONBIO) != 0 ||
	    allow_value(filter, "ioctl", 1, FIONREAD) != 0)
		return -1;
	return allow_only(filter, "prlimit64", 0, 0);
}

/* Pairs of streams, for libfcgi; connections only to who writes the system's
   log. */
static int
add_sockets(scmp_filter_ctx filter, bool uses_syslog)
{
	const struct scmp_arg_cmp stream[] = {
		{ 0, SCMP_CMP_EQ, AF_UNIX, 0 },
		{ 1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM },
	};
	int pair = seccomp_syscall_resolve_name("socketpair");
	const uint32_t refused = SCMP_ACT_ERRNO(EPERM);

	if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, pair, 2, stream) !=
	    0)
		return -1;
	if (uses_syslog)
		return allow_only(filter, "socket", 0, AF_UNIX) != 0 ?
		    -1 :
		    add_rule(filter, SCMP_ACT_ALLOW, "connect", NULL);
	if (add_rule(filter, refused, "socket", NULL) != 0)
		return -1;
	return add_rule(filter, refused, "connect", NULL);
}

/* libseccomp crashes when out of memory (2.5.4, seccomp_load()). */
static scmp_filter_ctx
new_filter(uint32_t action)
{
	return memory_is_allocatable(TAKES_BYTES) ? seccomp_init(action) : NULL;
}

/* What the kernel does not take is left out. */
static bool
load(scmp_filter_ctx filter)
{
	/* older kernels would slow down all of the process: for programs that
	   run others' code, which this one does not */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	/* its default would end the process */
	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_ERRNO(EPERM)) != 0)
		return false;
#ifdef SANITIZED_BUILD /* they look at the process from another one */
	return false;
#else
	return seccomp_load(filter) == 0;
#endif
}

int
sandbox_calls_refuse(bool *is_done)
{
	scmp_filter_ctx filter = new_filter(SCMP_ACT_ALLOW);
	int rc;

	*is_done = false;
	if (filter == NULL)
		return -1;
	rc = add_list(filter, SCMP_ACT_ERRNO(EPERM), never, N(never));
	if (rc == 0)
		*is_done = load(filter);
	seccomp_release(filter);
	return rc;
}

static int
add_all(scmp_filter_ctx filter, const struct sandbox_options *o)
{
	const uint32_t refused = SCMP_ACT_ERRNO(EPERM);

	if (add_list(filter, SCMP_ACT_ALLOW, allowed, N(allowed)) != 0 ||
	    add_list(filter, refused, never, N(never)) != 0 ||
	    add_list(filter, refused, no_longer, N(no_longer)) != 0 ||
	    add_memory(filter) != 0 || add_own(filter) != 0)
		return -1;
	return add_sockets(filter, o->uses_syslog);
}

int
sandbox_calls_confine(const struct sandbox_options *o, bool *is_done)
{
	scmp_filter_ctx filter = new_filter(SCMP_ACT_ERRNO(ENOSYS));
	int rc;

	*is_done = false;
	if (filter == NULL)
		return -1;
	rc = add_all(filter, o);
	if (rc == 0)
		*is_done = load(filter);
	seccomp_release(filter);
	return rc;
}

#elif defined(__OpenBSD__)

#include <unistd.h>

const char sandbox_calls_by[] = "pledge";

int
sandbox_calls_refuse(bool *is_done)
{
	*is_done = true; /* io_uring is Linux's */
	return 0;
}

/*
 * unix, inet: accept() on the socket that is there.  fattr, chown: SQLite's on
 * files that it makes.  error: what is refused fails; without it, the process
 * would end.  syslog() needs no socket there.
 */
int
sandbox_calls_confine(const struct sandbox_options *o, bool *is_done)
{
	(void)o;
	*is_done = pledge("stdio rpath wpath cpath fattr chown flock unix inet"
			  " error",
		       NULL) == 0;
	return 0;
}

#else

const char sandbox_calls_by[] = "calls";

int
sandbox_calls_refuse(bool *is_done)
{
	*is_done = false;
	return 0;
}

int
sandbox_calls_confine(const struct sandbox_options *o, bool *is_done)
{
	(void)o;
	*is_done = false;
	return 0;
}

#endif
