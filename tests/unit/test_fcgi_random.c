/*
 * fcgi: random requests must be found partial at every point before their end,
 * whole at it, and then have the variables that were put in; and no byte is
 * examined again when more arrive.
 */
#include "records.h"

/* One for all requests, as the programs have it. */
static struct libfcgi_pair pair;

static struct bytes a, p, content;

struct wanted {
	uint16_t id;
	bool keep;
	size_t head_len; /* up to the end of PARAMS */
	char *vars[64];
	size_t n;
};

static void
random_pairs(struct wanted *w)
{
	p.len = 0;
	for (w->n = 0; w->n < tap_random(30); w->n++) {
		struct text name = tap_random_text("AB_", 3, 200);
		struct text value = tap_random_text("=x\xff\1", 4, 400);
		char *var = malloc(name.len + value.len + 2);

		if (var == NULL)
			abort();
		(void)snprintf(var, name.len + value.len + 2, "%.*s=%.*s",
		    (int)name.len, name.bytes, (int)value.len, value.bytes);
		w->vars[w->n] = var;
		put_pair(&p, name, value, tap_random(3) == 0);
		tap_free_text(name);
		tap_free_text(value);
	}
}

static size_t
some_padding(void)
{
	return tap_random(2) * tap_random(256);
}

/* Into records of any lengths. */
static void
put_run(struct bytes *to, int type, unsigned id, const uint8_t *bytes,
    size_t len)
{
	while (len > 0) {
		size_t n = 1 + tap_random(tap_random(2) ? len : 9);

		if (n > len)
			n = len;
		if (n > 65535)
			n = 65535;
		put_record(to, type, id, bytes, n, some_padding());
		bytes += n;
		len -= n;
	}
	put_record(to, type, id, NULL, 0, some_padding());
}

static void
random_request(struct wanted *w)
{
	w->id = (uint16_t)(1 + tap_random(65535));
	w->keep = tap_random(2) > 0;
	random_pairs(w);
	a.len = 0;
	put_begin(&a, w->id, 1, w->keep, some_padding());
	put_run(&a, PARAMS, w->id, p.b, p.len);
	w->head_len = a.len;
	put_run(&a, STDIN, w->id, content.b, tap_random(2) * tap_random(2000));
}

static bool
is_wanted(const struct wanted *w, const uint8_t *bytes, size_t used)
{
	char **vars = libfcgi_parse(&pair, bytes, used);
	bool is_good;

	if (vars == NULL)
		return false;
	is_good = records_request_id(bytes) == w->id &&
	    records_keeps_connection(bytes) == w->keep;
	for (size_t i = 0; i < w->n && is_good; i++)
		is_good =
		    vars[i + 1] != NULL && strcmp(vars[i + 1], w->vars[i]) == 0;
	is_good = is_good && vars[w->n + 1] == NULL;
	free(vars);
	return is_good;
}

/*
 * Feed it byte by byte, as a connection does; what came stays in the buffer.
 * What the scanner has passed, but for the id, is overwritten during each call,
 * so that a scanner which examines it again finds a bad record.  PARAMS are
 * read as a whole once, at their end.
 */
static bool
goes_byte_by_byte(const struct wanted *w)
{
	static uint8_t buffer[RECORDS_BUFFER_MAX], hidden[RECORDS_BUFFER_MAX];
	struct records_scanner scanner = { 0 };
	size_t len = 0, used = 0;

	for (size_t i = 0; i < a.len; i++) {
		const size_t id = 4;
		size_t passed = i + 1 == w->head_len ? 0 : scanner.at;
		enum records_scan result;

		buffer[len++] = a.b[i];
		memcpy(hidden, buffer, passed);
		if (passed > id)
			memset(buffer + id, 0xee, passed - id);
		result = records_scan(&scanner, buffer, &len, &used);
		memcpy(buffer, hidden, passed);
		if (result != (i + 1 < a.len ? RECORDS_PARTIAL : RECORDS_WHOLE))
			return false;
	}
	return used == len && is_wanted(w, buffer, used);
}

/* Each part of it, alone in memory, is partial. */
static bool
is_partial_everywhere(void)
{
	size_t left, used;

	if (a.len > 3000)
		return true;
	for (size_t len = 0; len < a.len; len++)
		if (scan(a.b, len, &left, &used) != RECORDS_PARTIAL ||
		    left > len)
			return false;
	return true;
}

static bool
all_random_requests_pass(size_t *n_short)
{
	for (int i = 0; i < 200; i++) {
		struct wanted w = { 0 };
		bool is_good;

		random_request(&w);
		is_good = a.len > RECORDS_REQUEST_MAX ||
		    (goes_byte_by_byte(&w) && is_partial_everywhere());
		*n_short += a.len <= 3000;
		for (size_t k = 0; k < w.n; k++)
			free(w.vars[k]);
		if (!is_good)
			return false;
	}
	return true;
}

int
main(void)
{
	size_t n_short = 0;

	tap_seed();
	memset(content.b, 'x', sizeof(content.b));
	check(libfcgi_init() == 0, "libfcgi starts");
	check(all_random_requests_pass(&n_short),
	    "random requests: partial until the last byte, then as wanted,"
	    " and no byte is examined again");
	check(n_short > 10, "of which some were short enough for every part");
	return tap_end();
}
