#ifndef ROWCAST_FUZZ_WORLD_H
#define ROWCAST_FUZZ_WORLD_H

#include <stdint.h>

#include <uv.h>

/*
 * The world around a program that is fuzzed as a whole.  Time passes only in
 * world_pass_ms(), so that a minute costs nothing and an input always has the
 * same effect.  Messages for the operator are dropped.  A target that links
 * world.o has both.
 */
void world_pass_ms(int64_t ms);

/* Runs the loop until nothing is ready; does not wait. */
void world_run(uv_loop_t *loop);

/* Closes the loop; requires that no handle is left in it. */
void world_end(uv_loop_t *loop);

#endif
