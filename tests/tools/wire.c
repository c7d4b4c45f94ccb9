/*
 * wire: what bash has no means for: Unix sockets, and closing one direction.
 *
 *   usage: wire PATH|HOST:PORT
 *
 * Connects and prints what comes; sends standard input, and closes that
 * direction at its end.  Ends when the peer has closed the other.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
connect_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ?
	    fd :
	    -1;
}

static int
connect_port(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int fd;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		return -1;
	fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
	if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) != 0)
		fd = -1;
	freeaddrinfo(list);
	return fd;
}

/* Copy what is there; 0 at the end. */
static int
copy(int from, int to)
{
	char buffer[65536];
	ssize_t n = read(from, buffer, sizeof(buffer)), done = 0;

	while (done < n) {
		ssize_t k = write(to, buffer + done, (size_t)(n - done));

		if (k < 0)
			return 0;
		done += k;
	}
	return n > 0;
}

static void
carry(int fd)
{
	struct pollfd polls[2] = { { fd, POLLIN, 0 },
		{ STDIN_FILENO, POLLIN, 0 } };

	for (;;) {
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return;
		if (polls[0].revents != 0 && !copy(fd, STDOUT_FILENO))
			return;
		if (polls[1].revents != 0 && !copy(STDIN_FILENO, fd)) {
			(void)shutdown(fd, SHUT_WR); /* fails if it is closed */
			polls[1].fd = -1;
		}
	}
}

int
main(int argc, char **argv)
{
	char *colon;
	int fd;

	if (argc != 2)
		return 2;
	colon = strchr(argv[1], '/') == NULL ? strrchr(argv[1], ':') : NULL;
	if (colon != NULL)
		*colon = '\0';
	fd = colon == NULL ? connect_path(argv[1]) :
			     connect_port(argv[1], colon + 1);
	if (fd < 0) {
		perror("wire");
		return EXIT_FAILURE;
	}
	carry(fd);
	return EXIT_SUCCESS;
}
