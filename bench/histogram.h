#ifndef ROWCAST_BENCH_HISTOGRAM_H
#define ROWCAST_BENCH_HISTOGRAM_H

#include <stdint.h>

/*
 * A histogram of latencies, exact to about 3 %: 32 steps to a power of two.
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

/* Returns the latency that a share of all is below; 0 if empty.
     units    0 < share <= 1 */
int64_t histogram_quantile(const struct histogram *h, double share);

#endif
