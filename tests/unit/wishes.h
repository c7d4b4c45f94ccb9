#ifndef ROWCAST_WISHES_H
#define ROWCAST_WISHES_H

#include "tap.h"

#include "tests/oracle/filter_model.h"

/*
 * What a stream asks for, at random: short patterns and names of a and b, so
 * that they often match.
 */
#define PATTERNS_MAX 6
#define NAMES_MAX 3
#define TEXT_MAX 5

struct wish {
	char bytes[PATTERNS_MAX + NAMES_MAX][TEXT_MAX];
	struct pattern patterns[PATTERNS_MAX];
	struct text names[NAMES_MAX];
	size_t n_patterns, n_names;
};

/* Fills bytes with up to max random letters. */
static inline struct text
random_text(char *bytes, size_t max)
{
	size_t len = tap_random(max + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = "ab"[tap_random(2)];
	return (struct text){ bytes, len };
}

static inline void
random_wish(struct wish *w)
{
	w->n_patterns = tap_random(PATTERNS_MAX + 1);
	w->n_names = tap_random(NAMES_MAX + 1);
	for (size_t i = 0; i < w->n_patterns; i++) {
		w->patterns[i].text = random_text(w->bytes[i], TEXT_MAX);
		w->patterns[i].is_prefix = tap_random(3) == 0;
	}
	for (size_t i = 0; i < w->n_names; i++)
		w->names[i] = random_text(w->bytes[PATTERNS_MAX + i], 1);
}

static inline bool
wish_has_topic(const struct wish *w, struct text topic)
{
	return model_has_topic(w->patterns, w->n_patterns, topic);
}

static inline bool
wish_has_name(const struct wish *w, struct text name)
{
	return model_has_name(w->names, w->n_names, name);
}

#endif
