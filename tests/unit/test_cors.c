/*
 * cors: which origins may be listed, and the headers of a response.
 */
#include "tap.h"

#include "lib/cors.h"

#define ALLOW "Access-Control-Allow-Origin: "
#define CREDENTIALS "Access-Control-Allow-Credentials: true\r\n"
#define VARY "Vary: Origin\r\n"

static char why[OPTIONS_WHY_MAX];

static void
check_syntax(void)
{
	static const char *const good[] = { "", "*", "https://a.example",
		"http://127.0.0.1:8080", "https://[::1]:8080", "app+x-y.z://h",
		"  https://a.example   http://b ", "https://xn--a_b.example" };
	static const char *const bad[] = { "a.example", "https://", "://a",
		"https://a/", "https://a/path", "https://A.example",
		"HTTPS://a.example", "https://a,b", "https://a.example,",
		"null", "https://a\r\nX:b", "https://a\tb", "https://\xc3\xbc",
		"ht_tp://a", "https://a b", "https://a?b", "https://a@b" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct cors c = { 0 };

		check(cors_add(&c, good[i], why) == OPTIONS_OK, "'%s'",
		    good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cors c = { 0 };

		check(cors_add(&c, bad[i], why) == OPTIONS_BAD &&
			strstr(why, "is not an origin") != NULL,
		    "not an origin: %.*s", (int)strcspn(bad[i], "\r"), bad[i]);
	}
}

static void
check_limits(void)
{
	struct cors c = { 0 };
	char longest[CORS_ORIGIN_LEN_MAX + 2], out[CORS_MAX];

	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "https://", 8);
	longest[CORS_ORIGIN_LEN_MAX + 1] = '\0';
	check(cors_add(&c, longest, why) == OPTIONS_BAD,
	    "256 bytes are too many");
	longest[CORS_ORIGIN_LEN_MAX] = '\0';
	check(cors_add(&c, longest, why) == OPTIONS_OK, "255 are not");
	check(cors_write(&c, longest, out) && strlen(out) < CORS_MAX - 1 &&
		strstr(out, CREDENTIALS VARY) != NULL,
	    "the longest origin fits into the headers");
	while (c.n_origins < CORS_ORIGINS_MAX)
		if (cors_add(&c, "https://a.example", why) != OPTIONS_OK)
			break;
	check(c.n_origins == CORS_ORIGINS_MAX &&
		cors_add(&c, "https://a.example", why) == OPTIONS_BAD &&
		strcmp(why, "more than 64 origins") == 0,
	    "64 origins may be listed");
}

static void
check_headers(void)
{
	static const char two[] = "https://one.example http://127.0.0.1:8080";
	static char too_long[300];
	static const struct {
		const char *list, *origin, *headers;
		bool is_allowed;
	} rows[] = {
		{ "", "https://a", "", false },
		{ "", NULL, "", false },
		{ "https://a", "https://a",
		    ALLOW "https://a\r\n" CREDENTIALS VARY, true },
		{ "http://b https://a", "https://a",
		    ALLOW "https://a\r\n" CREDENTIALS VARY, true },
		{ "https://a", "https://A", VARY, false },
		{ "https://a", "https://a:443", VARY, false },
		{ "https://a", "https://a.evil", VARY, false },
		{ "https://a", "https://", VARY, false },
		{ "https://a", "null", VARY, false },
		{ "https://a", "", VARY, false },
		{ "https://a", NULL, VARY, false },
		{ "https://a", "*", VARY, false },
		{ "*", "https://b", ALLOW "*\r\n" VARY, true },
		{ "*", "null", ALLOW "*\r\n" VARY, true },
		{ "*", "*", ALLOW "*\r\n" VARY, true },
		{ "*", too_long, ALLOW "*\r\n" VARY, true },
		{ "*", "", VARY, false },
		{ "*", NULL, VARY, false },
		{ two, "http://127.0.0.1:8080",
		    ALLOW "http://127.0.0.1:8080\r\n" CREDENTIALS VARY, true },
		{ two, "https://two.example", VARY, false },
		{ two, "http://one.example", VARY, false },
		{ two, "https://one.example:443", VARY, false },
		{ two, "https://one.example.evil", VARY, false },
		{ two, "https://one.exampl", VARY, false },
		{ two, "null", VARY, false },
		{ two, "http://127.0.0.1", VARY, false },
		{ "* https://a", "https://b", ALLOW "*\r\n" VARY, true },
		{ "* https://a", "https://a",
		    ALLOW "https://a\r\n" CREDENTIALS VARY, true },
	};

	memset(too_long, 'a', sizeof(too_long) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cors c = { 0 };
		char out[CORS_MAX];
		bool is_allowed;

		(void)cors_add(&c, rows[i].list, why);
		is_allowed = cors_write(&c, rows[i].origin, out);
		check(is_allowed == rows[i].is_allowed &&
			strcmp(out, rows[i].headers) == 0,
		    "'%s' listed, '%.20s' asks", rows[i].list,
		    rows[i].origin != NULL ? rows[i].origin : "(none)");
	}
}

int
main(void)
{
	check_syntax();
	check_limits();
	check_headers();
	return tap_end();
}
