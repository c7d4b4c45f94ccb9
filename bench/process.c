/*
 * CPU time and memory of processes, from /proc.
 */
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t
cpu_ms(pid_t pid)
{
	char path[64], text[1024], *p;
	unsigned long user, system;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	p = fgets(text, sizeof(text), f);
	(void)fclose(f);
	/* behind the name, which may hold anything */
	if (p == NULL || (p = strrchr(text, ')')) == NULL ||
	    sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		&user, &system) != 2)
		return 0;
	return (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

static int64_t
pss_kb(pid_t pid)
{
	char path[64], line[256];
	long kb = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Pss: %ld", &kb) == 1)
			break;
	(void)fclose(f);
	return kb;
}

struct process_use
process_use(pid_t pid)
{
	struct process_use use = { cpu_ms(pid), pss_kb(pid) };
	char path[64], text[65536];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)pid, (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return use;
	if (fgets(text, sizeof(text), f) != NULL) {
		char *save = NULL;

		for (char *t = strtok_r(text, " ", &save); t != NULL;
		     t = strtok_r(NULL, " ", &save)) {
			struct process_use child;

			child = process_use((pid_t)strtol(t, NULL, 10));
			use.cpu_ms += child.cpu_ms;
			use.pss_kb += child.pss_kb;
		}
	}
	(void)fclose(f);
	return use;
}
