#ifndef ROWCAST_BENCH_PROCESS_H
#define ROWCAST_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * The use of a process and all its descendants.
 *   cpu_ms   user and system time so far
 *   pss_kb   proportional share of memory now (Pss of smaps_rollup)
 */
struct process_use {
	int64_t cpu_ms;
	int64_t pss_kb;
};

struct process_use process_use(pid_t pid);

#endif
