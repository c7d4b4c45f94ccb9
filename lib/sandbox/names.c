/*
 * The names of system calls.  Names, not numbers: not every architecture and
 * libseccomp has all of them.  A call with a rule for its arguments is in none
 * of the lists: calls.c has these.
 */
#include "names.h"

#include <stddef.h>

const char *const names_allowed[] = {
	/* memory */
	"brk", "madvise", "mremap", "munmap",
#ifdef __s390__ /* its arguments lie in memory */
	"mmap",
#endif
	/* files, mostly for SQLite */
	"access", "close", "close_range", "dup", "dup2", "dup3", "faccessat",
	"faccessat2", "fallocate", "fdatasync", "fstat", "fstat64", "fstatat64",
	"fsync", "ftruncate", "ftruncate64", "getcwd", "getdents64", "_llseek",
	"lseek", "lstat", "lstat64", "newfstatat", "pread64", "preadv",
	"preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readlink",
	"readlinkat", "readv", "stat", "stat64", "statx", "unlink", "write",
	"writev",
	/* waiting */
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "eventfd2", "inotify_add_watch", "inotify_init1",
	"inotify_rm_watch", "poll", "ppoll", "ppoll_time64", "pselect6",
	"pselect6_time64", "select", "_newselect", "timerfd_create",
	"timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64",
	/* sockets that exist */
	"accept", "accept4", "getpeername", "getsockname", "recv", "recvfrom",
	"recvmsg", "shutdown",
	/* time */
	"clock_getres", "clock_getres_time64", "clock_gettime",
	"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
	"gettimeofday", "nanosleep", "time",
	/* itself */
	"exit", "exit_group", "getcpu", "getegid", "getegid32", "geteuid",
	"geteuid32", "getgid", "getgid32", "getpid", "getppid", "getrandom",
	"getrlimit", "getrusage", "gettid", "getuid", "getuid32", "membarrier",
	"restart_syscall", "rseq", "rt_sigaction", "rt_sigpending",
	"rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "sched_getaffinity", "sched_yield",
	"set_robust_list", "sigaltstack", "sigprocmask", "sigreturn", "sysinfo",
	"ugetrlimit", "umask", "uname", NULL
};

const char *const names_never[] = { "acct", "add_key", "adjtimex", "bpf",
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
	"umount", "umount2", "unshare", "userfaultfd", "vfork", NULL };

const char *const names_no_longer[] = { "bind", "chmod", "chown", "chown32",
	"fchmodat", "fchownat", "fremovexattr", "fsetxattr", "lchown",
	"lchown32", "link", "linkat", "listen", "lremovexattr", "lsetxattr",
	"mkdir", "mkdirat", "mknod", "mknodat", "prctl", "removexattr",
	"rename", "renameat", "renameat2", "rmdir", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "seccomp", "setrlimit", "setxattr", "symlink",
	"symlinkat", "truncate", "truncate64", "utime", "utimensat", "utimes",
	NULL };
