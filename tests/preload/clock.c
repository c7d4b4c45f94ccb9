/*
 * clock: a preloaded library that shifts the time of day, forward and back,
 * while programs run.  CLOCK_MONOTONIC is not shifted.
 *
 *   LD_PRELOAD=clock.so CLOCK=FILE PROGRAM…
 *
 * FILE holds the shift in seconds, with a sign, padded with blanks to 32 bytes.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's */

#define TEXT_BYTES 32

static const char *text; /* mapped */

__attribute__((constructor)) static void
start(void)
{
	const char *path = getenv("CLOCK");
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	text = mmap(NULL, TEXT_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (text == MAP_FAILED) {
		perror("clock: CLOCK");
		_exit(99);
	}
	(void)close(fd);
}

static time_t
ahead(void)
{
	return text == NULL ? 0 : (time_t)strtoll(text, NULL, 10);
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, now);

	if (rc == 0 &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += ahead();
	return rc;
}

/* In glibc the second parameter, which is obsolete, is void *restrict. */
int
gettimeofday(struct timeval *now, void *zone)
{
	int rc = (int)syscall(SYS_gettimeofday, now, zone);

	if (rc == 0)
		now->tv_sec += ahead();
	return rc;
}

time_t
time(time_t *now)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (now != NULL)
		*now = t.tv_sec;
	return t.tv_sec;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
