#ifndef ROWCAST_BENCH_CLOCK_H
#define ROWCAST_BENCH_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in ns: the same for all processes of the machine. */
int64_t clock_now_ns(void);

void clock_wait_until(int64_t ns);

#endif
