/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h - a loop whose rounds run in several threads.
 *
 * Threads live for one call: what runs in parallel here (allocation groups, ranges of a disk) takes far longer than
 * starting a thread, and nothing global has to be kept.  Rounds start in order of their index.  The caller's thread
 * works too; with one thread or one round everything runs in it.
 * Layer: base. May be called from several threads at once, and from a round.
 */
#ifndef XFS_BASE_POOL_H
#define XFS_BASE_POOL_H

#include <stddef.h>

/* Processors that this process may use, at least 1. */
unsigned xfs_pool_processors(void);

/*
 * Calls fn(payload, index) for index 0 .. count - 1 in up to `threads` threads (0: xfs_pool_processors()).  When a
 * round returns an error no further ones start; those that run are waited for.  Returns 0, or the error of the round
 * with the lowest index that failed, and (failed not NULL) that index: the same whatever the number of threads, as long
 * as rounds do not depend on each other.  When threads can't be had it goes on with fewer.
 * Signals are blocked in the threads that are started, so that handlers run where they were set up.
 */
int xfs_pool_run(unsigned threads, size_t count, int (*fn)(void *payload, size_t index), void *payload, size_t *failed);

#endif
