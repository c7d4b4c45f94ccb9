/*
 * A histogram of latencies.
 */
#include "histogram.h"

#define STEP_BITS 5

static unsigned
step_of(uint64_t ns)
{
	unsigned exponent;

	if (ns < 1U << STEP_BITS)
		return (unsigned)ns;
	exponent = 63U - (unsigned)__builtin_clzll(ns);
	return ((exponent - STEP_BITS + 1) << STEP_BITS) +
	    (unsigned)(ns >> (exponent - STEP_BITS) & 31U);
}

static int64_t
start_of(unsigned step)
{
	unsigned exponent = step >> STEP_BITS;

	if (exponent == 0)
		return step;
	return (int64_t)(32U + (step & 31U)) << (exponent - 1);
}

void
histogram_add(struct histogram *h, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	if (ns > h->max)
		h->max = ns;
	h->sum += ns;
	h->count++;
	h->steps[step_of((uint64_t)ns)]++;
}

int64_t
histogram_quantile(const struct histogram *h, double share)
{
	uint64_t want = (uint64_t)(share * (double)h->count), seen = 0;

	if (h->count == 0)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_STEPS; i++) {
		seen += h->steps[i];
		if (seen > want)
			return start_of(i);
	}
	return h->max;
}
