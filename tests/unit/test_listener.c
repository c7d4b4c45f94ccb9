/*
 * listener: addresses that it refuses, who may connect, and what a listener
 * that cannot be opened leaves behind.
 */
#include "tap.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/fastcgi/address.h"
#include "lib/fastcgi/listener.h"

#define DESCRIPTORS_MAX 4096

static void
check_addresses(void)
{
	static const char *const bad[] = { "127.0.0.1:99999", "127.0.0.1:65536",
		"127.0.0.1:0", ":0", ":80x", ":x80", ":", ":-1", ":+80", ": 80",
		"[::1]:65536", "localhost:4294967376",
		":99999999999999999999999" };
	char why[OPTIONS_WHY_MAX], path[200];
	const char *address = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		check(!address_is_path(bad[i]) &&
			address_option(&address, bad[i], why) == OPTIONS_BAD &&
			strstr(why, bad[i]) != NULL &&
			strstr(why, "a number from 1 to 65535") != NULL,
		    "address: \"%s\" has no port", bad[i]);
	}
	check(address_option(&address, "8080", why) == OPTIONS_BAD &&
		strcmp(why,
		    "'8080' is not PATH or HOST:PORT: write :8080 for a port,"
		    " ./8080 for a file") == 0 &&
		address_option(&address, "127.0.0.1", why) == OPTIONS_BAD,
	    "address: a port or a host alone");
	check(address_option(&address, "http://127.0.0.1:80", why) ==
		    OPTIONS_BAD &&
		address_option(&address, "unix:/run/x.sock", why) ==
		    OPTIONS_BAD &&
		strcmp(why,
		    "'unix:/run/x.sock' is a URL: write PATH or HOST:PORT"
		    " alone") == 0,
	    "address: a URL");
	memset(path, 'a', sizeof(path));
	path[108] = '\0';
	check(address_option(&address, path, why) == OPTIONS_BAD &&
		strstr(why, "the path is longer than 107 bytes") != NULL,
	    "address: a path that is too long");
	check(address_option(&address, "", why) == OPTIONS_BAD &&
		address == NULL,
	    "address: the empty one");
	path[107] = '\0';
	check(address_option(&address, path, why) == OPTIONS_OK &&
		address == path,
	    "address: the longest path");
	check(address_is_path("a/b:80") && address_is_path("socket") &&
		!address_is_path("host:80"),
	    "address: paths have a slash or no colon");
}

static void
check_access(void)
{
	check(address_is_listed("127.0.0.1", "127.0.0.1"),
	    "access: the only one");
	check(address_is_listed("::1,127.0.0.1", "::1") &&
		address_is_listed("::1,127.0.0.1", "127.0.0.1"),
	    "access: the first, and the last");
	check(!address_is_listed("127.0.0.11,27.0.0.1", "127.0.0.1"),
	    "access: part of another is another");
	check(!address_is_listed("", "127.0.0.1"), "access: an empty list");
	check(!address_is_listed(",,", "127.0.0.1") &&
		address_is_listed(",127.0.0.1,", "127.0.0.1"),
	    "access: empty entries are nobody");
}

static int
descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A plain file cannot be polled, so that uv_poll_init() refuses it. */
static void
check_leaks(void)
{
	const struct listener_options options = { .web_servers = "" };
	uv_loop_t loop;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), before;

	if (fd < 0 || dup2(fd, STDIN_FILENO) != STDIN_FILENO ||
	    uv_loop_init(&loop) != 0)
		abort();
	before = descriptors();
	check(listener_new(&loop, &options, NULL) == NULL,
	    "listener: a file is refused");
	check(descriptors() == before, "listener: no descriptor stays open");
	check(uv_loop_close(&loop) == 0, "listener: no handle stays open");
}

int
main(void)
{
	check_addresses();
	check_access();
	check_leaks();
	return tap_end();
}
