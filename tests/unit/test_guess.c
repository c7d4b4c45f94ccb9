/*
 * guess: the nearest of some words.
 */
#include "lib/guess.h"

#include <string.h>

#include "tap.h"

static const char *
nearest(const char *word)
{
	static const char *const words[] = { "init", "publish", "tail",
		"export", "import", "socket-mode", "socket", "publish-open" };
	struct guess g = { .word = text_of(word) };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		guess_offer(&g, words[i]);
	return g.best != NULL ? g.best : "";
}

int
main(void)
{
	static const struct {
		const char *word, *near;
	} rows[] = {
		{ "pubish", "publish" },    /* missing */
		{ "publissh", "publish" },  /* added */
		{ "pablish", "publish" },   /* wrong */
		{ "tial", "tail" },         /* swapped */
		{ "pubilsj", "" },          /* two edits */
		{ "ezport", "export" },     /* not import */
		{ "publi", "publish" },     /* a beginning */
		{ "socke", "socket-mode" }, /* of two: the first */
		{ "sockt", "socket" },
		{ "publish-token", "" }, /* not publish-open */
		{ "frobnicate", "" },
		{ "tall-tales", "" },
		{ "ls", "" },
		{ "ta", "" }, /* a beginning that is too short */
		{ "t", "" },
		{ "", "" },
		{ "a-word-that-is-longer-than-any-option-may-be", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(strcmp(nearest(rows[i].word), rows[i].near) == 0,
		    "'%s' is near '%s'", rows[i].word, rows[i].near);
	return tap_end();
}
