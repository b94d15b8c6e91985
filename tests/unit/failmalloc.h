/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failmalloc.h - lets an allocation of the library fail.
 *
 * Unit tests are linked with --wrap for malloc, calloc and realloc, so that calls from the library and from the test
 * itself (not those inside of libc or Check) come here; they pass through until a test asks for a failure.  Use:
 *
 *	for (uint64_t n = 1;; n++) {
 *		failmalloc_start(n, false);
 *		err = scenario();
 *		if (failmalloc_stop() < n)
 *			break;			// it ran to its end without the n-th allocation
 *		// err is NOMEM, or the code found another way; nothing may leak
 *	}
 */
#ifndef TESTS_UNIT_FAILMALLOC_H
#define TESTS_UNIT_FAILMALLOC_H

#include <stdbool.h>
#include <stdint.h>

/* The n-th allocation from now (from 1) fails; forever: all after it too. */
void failmalloc_start(uint64_t n, bool forever);
/* Allocations pass again. Returns how many were asked for since the start, in all threads. */
uint64_t failmalloc_stop(void);

#endif
