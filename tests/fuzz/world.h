#ifndef ROWCAST_FUZZ_WORLD_H
#define ROWCAST_FUZZ_WORLD_H

#include <stdint.h>

#include <uv.h>

/*
 * The world around a program that is tried as a whole: time passes only when it
 * is told to, so that a minute costs nothing and an input always does the same;
 * and nobody hears what the operator is told.  Who calls this has both.
 */
void world_pass_ms(int64_t ms);

/* Let the loop do what there is to do, without waiting. */
void world_run(uv_loop_t *loop);

/* The loop is over: no handle is left in it. */
void world_end(uv_loop_t *loop);

#endif
