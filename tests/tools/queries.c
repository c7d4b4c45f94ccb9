/*
 * queries: prints what hostile clients ask for, one query a line.
 *
 *   usage: queries collide|differ|lengths
 *
 * collide   1,000 lines of 63 topics; all topics collide in the hash table of
 *           version 0.1.0, where they stand behind the letter e
 * differ    the same, with other letters at four places, so that none collide
 * lengths   4 lines of 60 prefixes; the 240 prefixes have 240 lengths, and no
 *           topic of the letter z alone matches them
 *
 * To each line, add the topic that the stream is to receive.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/oracle/collisions.h"

#define STREAMS 1000
#define TOPICS 63 /* and the one that is added: as many as a client may name */
#define LENGTHS 240
#define LENGTHS_STREAMS 4

static void
print_topic(const char *bytes, size_t len)
{
	printf("topic=");
	for (size_t i = 0; i < len; i++)
		printf(isalnum((unsigned char)bytes[i]) ? "%c" : "%%%02x",
		    bytes[i]);
	printf("&");
}

static void
print_topics(bool collide)
{
	static struct collisions c;
	char topic[COLLISIONS_BYTES];

	collisions_make(&c, (struct text){ "e", 1 });
	for (size_t i = 0; i < STREAMS * TOPICS; i++) {
		collisions_text(&c, i, topic);
		for (size_t k = 1, n = i; !collide && k <= 4; k++, n /= 26)
			topic[k] = (char)('a' + n % 26);
		print_topic(topic + 1, COLLISIONS_BYTES - 1);
		if (i % TOPICS == TOPICS - 1)
			printf("\n");
	}
}

static void
print_lengths(void)
{
	char prefix[LENGTHS];

	for (size_t i = 0; i < LENGTHS_STREAMS; i++) {
		for (size_t len = i + 1; len <= LENGTHS;
		     len += LENGTHS_STREAMS) {
			/* the last byte keeps one from covering another */
			memset(prefix, 'z', len);
			prefix[len - 1] = 'y';
			printf("topic=%.*s*&", (int)len, prefix);
		}
		printf("\n");
	}
}

int
main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "collide") == 0 || strcmp(what, "differ") == 0) {
		print_topics(strcmp(what, "collide") == 0);
	} else if (strcmp(what, "lengths") == 0) {
		print_lengths();
	} else {
		(void)fprintf(stderr,
		    "usage: queries collide|differ|lengths\n");
		return 2;
	}
	return fflush(stdout) != 0;
}
