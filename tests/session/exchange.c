/*
 * FastCGI as a web server speaks it, one request at a time.
 */
#include "exchange.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX (1 << 20)
#define AGAIN_MS 15

int64_t
exchange_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
is_gone(const char *pid)
{
	char path[64], state = 'Z';
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return true;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	(void)fclose(f);
	return state == 'Z' || state == 'X';
}

static void
add_record(struct exchange *x, int type, const char *bytes, size_t len)
{
	do {
		size_t n = len < 65535 ? len : 65535;
		const char header[8] = { 1, (char)type, 0, 1, (char)(n >> 8),
			(char)n };

		memcpy(x->out + x->out_len, header, 8);
		if (n > 0)
			memcpy(x->out + x->out_len + 8, bytes, n);
		x->out_len += 8 + n;
		bytes += n;
		len -= n;
	} while (len > 0);
}

static size_t
add_pair(char *out, const char *name, const char *value)
{
	out[0] = (char)strlen(name);
	out[1] = (char)strlen(value);
	memcpy(out + 2, name, strlen(name));
	memcpy(out + 2 + strlen(name), value, strlen(value));
	return 2 + strlen(name) + strlen(value);
}

void
exchange_ask(struct exchange *x, const char *const *vars, const char *body,
    size_t len)
{
	static const char begin[8] = { 0, 1 };
	char params[2048];
	size_t n = 0;

	if (x->out == NULL)
		x->out = malloc(REQUEST_MAX);
	x->out_len = x->out_at = 0;
	for (; vars[0] != NULL; vars += 2)
		n += add_pair(params + n, vars[0], vars[1]);
	add_record(x, 1, begin, sizeof(begin));
	add_record(x, 4, params, n);
	add_record(x, 4, NULL, 0);
	if (len > 0)
		add_record(x, 5, body, len);
	add_record(x, 5, NULL, 0);
	x->record_len = x->head_len = 0;
	x->has_head = x->is_over = x->is_whole = false;
	x->status = 0;
}

void
exchange_hang_up(struct exchange *x)
{
	if (x->fd >= 0)
		(void)close(x->fd);
	x->fd = -1;
	x->is_over = true;
	x->again_ms = exchange_now_ms() + AGAIN_MS;
}

/* Connect, if it is time; false if that did not work yet. */
static bool
is_connected(struct exchange *x)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (x->fd >= 0)
		return true;
	if (exchange_now_ms() < x->again_ms)
		return false;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    x->socket);
	x->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(x->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    fcntl(x->fd, F_SETFL, O_NONBLOCK) == 0) {
		x->tries++;
		return true;
	}
	if (is_gone(x->pid)) {
		(void)printf("%s is gone\n", x->socket);
		exit(3);
	}
	exchange_hang_up(x);
	x->is_over = false;
	return false;
}

static void
take_content(struct exchange *x, const char *bytes, size_t len,
    exchange_body_fn *body, void *cookie)
{
	size_t before = x->head_len, n = sizeof(x->head) - 1 - before, rest = 0;
	const char *end;

	if (!x->has_head) {
		if (n > len)
			n = len;
		memcpy(x->head + before, bytes, n);
		x->head_len += n;
		x->head[x->head_len] = '\0';
		end = strstr(x->head, "\r\n\r\n");
		if (end == NULL)
			return;
		x->has_head = true;
		x->status = 200;
		if (strncmp(x->head, "Status: ", 8) == 0)
			x->status = (int)strtol(x->head + 8, NULL, 10);
		rest = (size_t)(end + 4 - x->head) - before;
	}
	if (rest < len)
		body(cookie, bytes + rest, len - rest);
}

static void
take_records(struct exchange *x, exchange_body_fn *body, void *cookie)
{
	const unsigned char *r = (const unsigned char *)x->record;

	while (x->record_len >= 8) {
		size_t len = (size_t)(r[4] << 8 | r[5]), total = 8 + len + r[6];

		if (x->record_len < total)
			return;
		if (r[1] == 6)
			take_content(x, x->record + 8, len, body, cookie);
		else if (r[1] == 3)
			x->is_whole = x->is_over = true;
		x->record_len -= total;
		memmove(x->record, x->record + total, x->record_len);
	}
}

void
exchange_go_on(struct exchange *x, exchange_body_fn *body, void *cookie)
{
	ssize_t n;

	if (x->is_over || !is_connected(x))
		return;
	if (x->out_at < x->out_len) {
		n = send(x->fd, x->out + x->out_at, x->out_len - x->out_at,
		    MSG_NOSIGNAL);
		if (n > 0)
			x->out_at += (size_t)n;
		else if (errno != EAGAIN)
			exchange_hang_up(x);
	}
	while (!x->is_over) {
		n = recv(x->fd, x->record + x->record_len,
		    sizeof(x->record) - x->record_len, 0);
		if (n <= 0) {
			if (n == 0 || errno != EAGAIN)
				exchange_hang_up(x);
			break;
		}
		x->record_len += (size_t)n;
		take_records(x, body, cookie);
	}
	if (x->is_over && x->fd >= 0)
		exchange_hang_up(x);
}
