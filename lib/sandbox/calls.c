/*
 * Which system calls are allowed, and with which arguments: those of names.c
 * and of the rules here, by seccomp; or by pledge.  All others fail with
 * ENOSYS, as in a kernel that lacks them, so that a newer libc falls back on an
 * older call.  Calls that must never work fail with EPERM.
 */
#include "private.h"

#if defined(__linux__)

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <stdint.h>
#include <unistd.h>

#include "lib/memory.h"
#include "names.h"

#define TAKES_BYTES 400000 /* by libseccomp, for the longer filter */
#define REFUSED SCMP_ACT_ERRNO(EPERM)

const char sandbox_calls_by[] = "seccomp";

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define MAKES_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

/* Conditions of a rule.  The argument of a call counts from 0. */
#define IS(argument, value)                     \
	{                                       \
		argument, SCMP_CMP_EQ, value, 0 \
	}
#define IS_NOT(argument, value)                 \
	{                                       \
		argument, SCMP_CMP_NE, value, 0 \
	}
#define BITS(argument, mask, value)                       \
	{                                                 \
		argument, SCMP_CMP_MASKED_EQ, mask, value \
	}
#define WITHOUT(argument, bits) BITS(argument, bits, 0)

/* One or two conditions. */
struct rule {
	const char *name;
	struct scmp_arg_cmp conditions[2];
};

/* Returns -1 if out of memory: the filter would be incomplete. */
static int
add_call(scmp_filter_ctx filter, uint32_t action, const char *name,
    const struct scmp_arg_cmp *conditions, unsigned n)
{
	int call = seccomp_syscall_resolve_name(name);
	int rc;

	if (call == __NR_SCMP_ERROR)
		return 0;
	rc = seccomp_rule_add_array(filter, action, call, n, conditions);
	/* EDOM: the architecture lacks the call */
	return rc == 0 || rc == -EDOM || rc == -EEXIST ? 0 : -1;
}

static int
add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
	for (; *names != NULL; names++)
		if (add_call(filter, action, *names, NULL, 0) != 0)
			return -1;
	return 0;
}

static bool
has_call(const char *name)
{
	return seccomp_syscall_resolve_name(name) >= 0;
}

static int
add_rules(scmp_filter_ctx filter, uint32_t action, const struct rule *rules,
    size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (add_call(filter, action, rules[i].name, rules[i].conditions,
			rules[i].conditions[1].op == 0 ? 1 : 2) != 0)
			return -1;
	return 0;
}

/*
 * The same for calls on sockets.  On i386 libc makes most of them by one call,
 * socketcall(), whose arguments lie in memory: allow all arguments there.
 */
static int
add_socket_rules(scmp_filter_ctx filter, uint32_t action,
    const struct rule *rules, size_t n)
{
	if (!has_call("socketcall"))
		return add_rules(filter, action, rules, n);
	for (size_t i = 0; i < n && action == SCMP_ACT_ALLOW; i++)
		if (add_call(filter, action, rules[i].name, NULL, 0) != 0)
			return -1;
	return 0;
}

/* No memory may become executable.  (The older mmap() of systems with mmap2()
   has its arguments in memory; that of s390 is in names.c.) */
static int
add_memory(scmp_filter_ctx filter)
{
	static const struct rule allowed[] = {
		{ "mprotect", { WITHOUT(2, PROT_EXEC) } },
		{ "mmap2", { WITHOUT(2, PROT_EXEC) } },
		{ "mmap", { WITHOUT(2, PROT_EXEC) } },
	};
	static const struct rule refused[] = {
		{ "mprotect", { BITS(2, PROT_EXEC, PROT_EXEC) } },
		{ "mmap2", { BITS(2, PROT_EXEC, PROT_EXEC) } },
		{ "mmap", { BITS(2, PROT_EXEC, PROT_EXEC) } },
	};
	size_t n = N(allowed);

#ifdef __s390__
	n = 1;
#endif
	if (n > 1 && has_call("mmap2"))
		n = 2;
	if (add_rules(filter, SCMP_ACT_ALLOW, allowed, n) != 0)
		return -1;
	return add_rules(filter, REFUSED, refused, n);
}

/*
 * Modes of files.  SQLite gives -wal and -shm the mode of the log, and as root
 * also its owner.  Others may write to or execute a new file only if they may
 * do so with the log, and no file gets the bits that give rights to programs.
 */
static int
add_modes(scmp_filter_ctx filter, const char *log)
{
	struct stat st;
	const bool exists = stat(log, &st) == 0;
	const mode_t mode = exists ? st.st_mode & 0777 : 0;
	const uid_t uid = exists ? st.st_uid : geteuid();
	const gid_t gid = exists ? st.st_gid : getegid();
	const mode_t creates = 07777 & ~(0664 | mode);
	const mode_t changes = 07777 & ~(0660 | mode);
	const struct rule allowed[] = {
		{ "open", { WITHOUT(1, MAKES_FILE) } },
		{ "open",
		    { BITS(1, MAKES_FILE, O_CREAT), WITHOUT(2, creates) } },
		{ "openat", { WITHOUT(2, MAKES_FILE) } },
		{ "openat",
		    { BITS(2, MAKES_FILE, O_CREAT), WITHOUT(3, creates) } },
		{ "fchmod", { WITHOUT(1, changes) } },
	};
	const struct rule owner[] = {
		{ "fchown", { IS(1, uid), IS(2, gid) } },
		{ "fchown32", { IS(1, uid), IS(2, gid) } },
	};

	if (geteuid() == 0 &&
	    add_rules(filter, SCMP_ACT_ALLOW, owner, N(owner)) != 0)
		return -1;
	return add_rules(filter, SCMP_ACT_ALLOW, allowed, N(allowed));
}

/* What is left: no signals on input, no change of limits, no removal of
   folders.  Priorities of futexes are not needed by one thread. */
static int
add_others(scmp_filter_ctx filter)
{
	static const int commands[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,
		F_SETFD, F_GETFL, F_GETLK, F_SETLK, F_SETLKW };
	static const int futexes[] = { FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE,
		FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET };
	static const struct rule allowed[] = {
		{ "fcntl", { IS(1, F_SETFL), WITHOUT(2, O_ASYNC) } },
		{ "fcntl64", { IS(1, F_SETFL), WITHOUT(2, O_ASYNC) } },
		{ "ioctl", { IS(1, FIONBIO) } },
		{ "ioctl", { IS(1, FIONREAD) } },
		{ "pipe2",
		    { WITHOUT(1, (uint32_t) ~(O_CLOEXEC | O_NONBLOCK)) } },
		{ "prlimit64", { IS(0, 0), IS(2, 0) } },
		{ "unlinkat", { IS(2, 0) } },
	};

	for (size_t i = 0; i < N(commands); i++) {
		const struct rule command[] = {
			{ "fcntl", { IS(1, (uint64_t)commands[i]) } },
			{ "fcntl64", { IS(1, (uint64_t)commands[i]) } },
		};

		if (add_rules(filter, SCMP_ACT_ALLOW, command, 2) != 0)
			return -1;
	}
	for (size_t i = 0; i < N(futexes); i++) {
		const uint64_t mask = (uint32_t)FUTEX_CMD_MASK;
		const uint64_t operation = (uint64_t)futexes[i];
		const struct rule futex[] = {
			{ "futex", { BITS(1, mask, operation) } },
			{ "futex_time64", { BITS(1, mask, operation) } },
		};

		if (add_rules(filter, SCMP_ACT_ALLOW, futex, 2) != 0)
			return -1;
	}
	return add_rules(filter, SCMP_ACT_ALLOW, allowed, N(allowed));
}

/* A process may signal only itself, for abort(). */
static int
add_signals(scmp_filter_ctx filter)
{
	const uint64_t self = (uint64_t)getpid();
	const struct rule allowed[] = { { "kill", { IS(0, self) } },
		{ "tkill", { IS(0, self) } }, { "tgkill", { IS(0, self) } } };
	const struct rule refused[] = { { "kill", { IS_NOT(0, self) } },
		{ "tkill", { IS_NOT(0, self) } },
		{ "tgkill", { IS_NOT(0, self) } } };

	if (add_rules(filter, SCMP_ACT_ALLOW, allowed, N(allowed)) != 0)
		return -1;
	return add_rules(filter, REFUSED, refused, N(refused));
}

/* Pairs of streams, for libfcgi; new sockets and connections only for the
   system's log.  MSG_FASTOPEN connects, too. */
static int
add_sockets(scmp_filter_ctx filter, bool uses_syslog)
{
	static const struct rule allowed[] = {
		{ "socketpair", { IS(0, AF_UNIX), BITS(1, 0xf, SOCK_STREAM) } },
		{ "setsockopt", { IS(1, SOL_SOCKET), IS(2, SO_SNDBUF) } },
		{ "setsockopt", { IS(1, SOL_SOCKET), IS(2, SO_RCVTIMEO) } },
		{ "getsockopt", { IS(1, SOL_SOCKET) } },
		{ "send", { WITHOUT(3, MSG_FASTOPEN) } },
		{ "sendto", { WITHOUT(3, MSG_FASTOPEN) } },
		{ "sendmsg", { WITHOUT(2, MSG_FASTOPEN) } },
	};
	static const struct rule refused[] = {
		{ "send", { BITS(3, MSG_FASTOPEN, MSG_FASTOPEN) } },
		{ "sendto", { BITS(3, MSG_FASTOPEN, MSG_FASTOPEN) } },
		{ "sendmsg", { BITS(2, MSG_FASTOPEN, MSG_FASTOPEN) } },
	};
	static const struct rule local = { "socket", { IS(0, AF_UNIX) } };
	static const struct rule other = { "socket", { IS_NOT(0, AF_UNIX) } };
	static const char *const none[] = { "socket", "connect", NULL };
	static const char *const connect[] = { "connect", NULL };

	if (add_socket_rules(filter, SCMP_ACT_ALLOW, allowed, N(allowed)) !=
		0 ||
	    add_socket_rules(filter, REFUSED, refused, N(refused)) != 0)
		return -1;
	if (!uses_syslog)
		return add_names(filter, REFUSED, none);
	if (add_socket_rules(filter, SCMP_ACT_ALLOW, &local, 1) != 0 ||
	    add_socket_rules(filter, REFUSED, &other, 1) != 0)
		return -1;
	return add_names(filter, SCMP_ACT_ALLOW, connect);
}

static int
add_all(scmp_filter_ctx filter, const struct sandbox_options *o)
{
	if (add_names(filter, SCMP_ACT_ALLOW, names_allowed) != 0 ||
	    add_names(filter, REFUSED, names_never) != 0 ||
	    add_names(filter, REFUSED, names_no_longer) != 0 ||
	    add_memory(filter) != 0 || add_modes(filter, o->log) != 0 ||
	    add_others(filter) != 0 || add_signals(filter) != 0)
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
#if SCMP_VER_MAJOR > 2 || SCMP_VER_MINOR >= 5
	/* a tree: the kernel need not compare with each call in turn */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
#endif
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
	rc = o == NULL ? add_names(filter, REFUSED, names_never) :
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
