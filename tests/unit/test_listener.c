/*
 * listener: addresses that it refuses, who may connect, and what a listener
 * that cannot be opened leaves behind.
 */
#include "tap.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

#define LIMIT 100  /* of descriptors, for clients and connections */
#define CLIENTS 45 /* more than there is room for both ends of */
#define SHORTAGES 4

static void
no_request(void *cookie, struct connection *c, const char *const *vars)
{
	(void)cookie;
	(void)vars;
	connection_abort(c);
}

/* Run the loop until as many connections are open, and for longer than the
   listener pauses. */
static void
run_until(uv_loop_t *loop, const struct connections *cs, bool is_open)
{
	uint64_t since = uv_hrtime();

	while ((connections_count(cs) > 0) != is_open ||
	    uv_hrtime() - since < UINT64_C(300000000)) {
		(void)uv_run(loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	}
}

static int
lines_with(FILE *f, const char *text)
{
	char line[1000];
	int n = 0;

	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, text) != NULL;
	return n;
}

/* Clients cause one shortage of descriptors after the other. */
static void
check_shortages(void)
{
	static const struct connection_handler handler = { .request =
							       no_request };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/test_listener.XXXXXX";
	const struct rlimit limit = { LIMIT, LIMIT };
	struct listener_options options = { .socket = address.sun_path,
		.socket_mode = 0600,
		.web_servers = "",
		.max_connections = LIMIT / 2,
		.limit_name = "--max" };
	int clients[CLIENTS], old = dup(STDERR_FILENO), most;
	FILE *said = tmpfile();
	struct connections *cs;
	struct listener *l;
	uint64_t began = uv_hrtime();
	uv_loop_t loop;

	if (said == NULL || old < 0 || mkdtemp(folder) == NULL ||
	    setrlimit(RLIMIT_NOFILE, &limit) != 0 || uv_loop_init(&loop) != 0)
		abort();
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s",
	    folder);
	(void)dup2(fileno(said), STDERR_FILENO);
	cs = connections_new(&loop, &handler, NULL, 100000);
	l = cs != NULL ? listener_new(&loop, &options, cs) : NULL;
	if (l == NULL)
		abort();
	for (int i = 0; i < SHORTAGES; i++) {
		for (int j = 0; j < CLIENTS; j++) {
			clients[j] = socket(AF_UNIX, SOCK_STREAM, 0);
			if (connect(clients[j], (struct sockaddr *)&address,
				sizeof(address)) != 0)
				abort();
		}
		run_until(&loop, cs, true);
		for (int j = 0; j < CLIENTS; j++)
			(void)close(clients[j]);
		run_until(&loop, cs, false);
	}
	(void)dup2(old, STDERR_FILENO);
	(void)close(old);
	most = 1 + (int)((uv_hrtime() - began) / UINT64_C(10000000000));
	check(lines_with(said, "accept: Too many open files") >= 1 &&
		lines_with(said, "accept: Too many open files") <= most,
	    "listener: %d shortages are reported every 10 s at most",
	    SHORTAGES);
	(void)fclose(said);
	listener_free(l);
	connections_free(cs);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop);
	(void)rmdir(folder);
}

int
main(void)
{
	check_addresses();
	check_access();
	check_leaks();
	check_shortages();
	return tap_end();
}
