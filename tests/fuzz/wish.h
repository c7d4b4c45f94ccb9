#ifndef ROWCAST_FUZZ_WISH_H
#define ROWCAST_FUZZ_WISH_H

#include "fuzz.h"

#include "lib/filter.h"
#include "tests/oracle/filter_model.h"

/*
 * What a stream asks for, chosen by the input; the filter made from it is
 * compared with it.
 */
#define WISHES_MAX 4

struct wish {
	struct pattern patterns[WISHES_MAX];
	struct text names[2];
	size_t n_patterns, n_names;
};

static const struct text wish_names[] = { { "", 0 }, { "a", 1 }, { "b", 1 },
	{ "ab", 2 }, { "abc", 3 }, { "a*", 2 }, { "message", 7 },
	{ "a-long-name-of-a-topic", 22 } };

static inline struct text
choose_name(struct choices *c)
{
	return wish_names[choose(c,
	    sizeof(wish_names) / sizeof(wish_names[0]))];
}

static inline void
choose_wish(struct choices *c, struct wish *wish)
{
	wish->n_patterns = choose(c, WISHES_MAX + 1);
	for (size_t i = 0; i < wish->n_patterns; i++)
		wish->patterns[i] =
		    (struct pattern){ choose_name(c), choose(c, 3) == 2 };
	wish->n_names = choose(c, 3);
	for (size_t i = 0; i < wish->n_names; i++)
		wish->names[i] = choose_name(c);
}

/* Makes its filter; the caller frees it. */
static inline struct filter *
wish_filter(const struct wish *wish)
{
	struct filter *f = filter_new(wish->patterns, wish->n_patterns,
	    wish->names, wish->n_names);

	require(f != NULL);
	return f;
}

static inline bool
wish_has(const struct wish *w, const struct event *e)
{
	return model_has_topic(w->patterns, w->n_patterns, e->topic) &&
	    model_has_name(w->names, w->n_names, e->name);
}

#endif
