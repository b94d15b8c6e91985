/* SPDX-License-Identifier: BSD-2-Clause */
/* failmalloc.c - lets an allocation of the library fail (see --wrap in ld's manual). */
#include "tests/unit/failmalloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static atomic_ullong seen, fail_at;
static atomic_bool fail_forever;

void failmalloc_start(uint64_t n, bool forever)
{
	atomic_store(&seen, 0);
	atomic_store(&fail_forever, forever);
	atomic_store(&fail_at, n);
}

uint64_t failmalloc_stop(void)
{
	atomic_store(&fail_at, 0);
	return atomic_load(&seen);
}

static bool is_failing(void)
{
	uint64_t at = atomic_load(&fail_at), n;

	if (!at)
		return false;
	n = atomic_fetch_add(&seen, 1) + 1;
	if (n != at && !(n > at && atomic_load(&fail_forever)))
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return is_failing() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_failing() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return is_failing() ? NULL : __real_realloc(p, size);
}
