#ifndef ROWCAST_BENCH_HISTOGRAM_H
#define ROWCAST_BENCH_HISTOGRAM_H

#include <stdint.h>

/*
 * Latencies, kept to about 3 %: 32 steps to each power of two.
 *   units    nanoseconds
 */
#define HISTOGRAM_STEPS 2048
struct histogram {
	uint64_t count;
	int64_t max;
	int64_t sum;
	uint64_t steps[HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *h, int64_t ns);

/* The latency that a share of all are below, 0 < share <= 1; 0 if empty. */
int64_t histogram_quantile(const struct histogram *h, double share);

#endif
